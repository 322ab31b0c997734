"""What an upgrade makes of mailboxes that logged in by OAuth 2 before."""

from importlib import import_module

import pytest
from django.apps import apps

from bounces.models import BounceMailbox
from campaign.lib.oauth.login import MICROSOFT_TOKENS

upgrade = import_module("bounces.migrations.0005_oauth_logins")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("token_url", "source", "tenant"),
    [
        (MICROSOFT_TOKENS.format(tenant="example.com"), "microsoft", "example.com"),
        ("https://sso.example.com/token", "other", ""),
    ],
)
def test_the_password_becomes_the_client_secret_and_is_one_again_on_the_way_back(
    token_url: str, source: str, tenant: str
) -> None:
    made = BounceMailbox(name="Box", host="h", username="u", login="xoauth2", token_url=token_url, client_id="id")
    made.password = "the secret"
    made.save()

    upgrade.move_client_secrets(apps, None)
    after = BounceMailbox.objects.get()
    upgrade.move_them_back(apps, None)
    back = BounceMailbox.objects.get()

    assert (after.token_source, after.tenant, after.grant) == (source, tenant, "client_credentials")
    assert (after.client_secret, after.password, after.endpoint) == ("the secret", "", token_url)
    assert (back.password, back.token_url) == ("the secret", token_url)


@pytest.mark.django_db
@pytest.mark.parametrize(("login", "source"), [("xoauth2", "typed"), ("password", "")])
def test_a_token_that_was_typed_stays_the_password(login: str, source: str) -> None:
    made = BounceMailbox(name="Box", host="h", username="u", login=login)
    made.password = "typed"
    made.save()

    upgrade.move_client_secrets(apps, None)

    after = BounceMailbox.objects.get()
    assert (after.token_source, after.password, after.access) == (source, "typed", None)


@pytest.mark.django_db
def test_on_the_way_back_a_password_stays_one_whatever_the_hidden_fields_say() -> None:
    made = BounceMailbox(name="Box", host="h", username="u", grant="client_credentials", token_source="other")
    made.password = "mine"
    made.save()

    upgrade.move_them_back(apps, None)

    assert BounceMailbox.objects.get().password == "mine"


@pytest.mark.django_db
def test_what_the_former_columns_cannot_hold_does_not_stand_in_the_way_back() -> None:
    made = BounceMailbox(
        name="Box", host="h", username="u", login="oauthbearer", token_source="typed", token_url="https://stale",
        scope="s" * 400,
    )  # fmt: skip
    made.password = "a token"
    made.save()

    upgrade.move_them_back(apps, None)

    back = BounceMailbox.objects.get()
    assert (back.login, back.token_url, back.password, len(back.scope)) == ("xoauth2", "", "a token", 255)


@pytest.mark.django_db
def test_a_tenant_too_long_for_its_column_stays_in_the_address() -> None:
    url = MICROSOFT_TOKENS.format(tenant="a" * 300)
    BounceMailbox.objects.create(name="Box", host="h", username="u", login="xoauth2", token_url=url, client_id="id")

    upgrade.move_client_secrets(apps, None)

    assert BounceMailbox.objects.get().endpoint == url
