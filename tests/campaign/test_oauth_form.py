"""What an operator enters for OAuth 2, at routes and mailboxes alike."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from bounces.models import BounceMailbox
from campaign.lib.oauth.login import OAuthLogin
from deliveries.models import Route
from tests.bounces.admin.test_mailbox import form as mailbox_form
from tests.deliveries.admin.test_route import form as route_form
from tests.people import at_colleague, at_marketer, colleague, marketer

__all__ = ["at_colleague", "at_marketer", "colleague", "marketer"]

SECRETS = {"new_client_secret": "the client's secret", "new_refresh_token": "1//refresh-token"}


@dataclass(frozen=True)
class Place:
    """Where one enters it."""

    model: type[OAuthLogin]
    form: Any
    login_field: str
    mechanism: str

    def page(self, name: str, *args: object) -> str:
        return reverse(f"admin:{self.model._meta.app_label}_{self.model._meta.model_name}_{name}", args=args)

    def filled(self, **values: Any) -> dict[str, Any]:
        """A form by which somebody logs in with tokens of Microsoft 365."""
        login = {
            self.login_field: self.mechanism, "token_source": "microsoft", "tenant": "example.onmicrosoft.com",
            "client_id": "the client", "grant": "refresh_token", **SECRETS,
        }  # fmt: skip
        filled: dict[str, Any] = self.form(**{**login, **values})
        return filled

    def added(self, client: Client, **values: Any) -> str:
        return client.post(self.page("add"), self.filled(**values)).content.decode()

    def changed(self, client: Client, **values: Any) -> str:
        row = self.model._base_manager.get()
        return client.post(self.page("change", row.pk), self.filled(**values)).content.decode()

    def row(self) -> Any:
        return self.model._base_manager.get()


@pytest.fixture(params=["route", "mailbox"])
def place(request: pytest.FixtureRequest, db: None) -> Place:
    if request.param == "route":
        return Place(Route, route_form, "auth_mechanism", "XOAUTH2")
    return Place(BounceMailbox, mailbox_form, "login", "oauthbearer")


def test_secrets_are_stored_sealed_and_never_shown(at_marketer: Client, place: Place) -> None:
    place.added(at_marketer)

    row = place.row()
    page = at_marketer.get(place.page("change", row.pk)).content.decode()
    assert (row.client_secret, row.refresh_token) == tuple(SECRETS.values())
    hidden = [*SECRETS.values(), row.sealed_client_secret, row.sealed_refresh_token]
    assert not any(secret in page for secret in hidden)
    assert "A client secret is stored. Leave empty to keep it." in page
    assert "A refresh token is stored. Leave empty to keep it." in page
    assert "None was fetched yet with these settings." in page
    history = at_marketer.get(place.page("history", row.pk)).content.decode()
    assert not any(secret in history + LogEntry.objects.get().change_message for secret in hidden)


def test_what_was_typed_is_not_shown_again_when_something_does_not_fit(at_marketer: Client, place: Place) -> None:
    page = place.added(at_marketer, tenant="")

    assert "Write the directory (tenant) ID" in page
    assert not any(secret in page for secret in SECRETS.values())


def test_secrets_are_kept_unless_told_otherwise(at_marketer: Client, place: Place) -> None:
    place.added(at_marketer)

    place.changed(at_marketer, new_client_secret="", new_refresh_token="another")
    kept = place.row()
    place.changed(at_marketer, new_client_secret="", forget_client_secret="on", new_refresh_token="")
    forgotten = place.row()

    assert (kept.client_secret, kept.refresh_token) == (SECRETS["new_client_secret"], "another")
    assert (forgotten.client_secret, forgotten.refresh_token) == ("", "another")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"username": ""}, "Write the user name that the token belongs to.|This field is required."),
        ({"security": "none", "host": "mail.example.com"}, "Choose STARTTLS or TLS from the start."),
        ({"token_source": ""}, "Choose who gives out access tokens."),
        ({"client_id": ""}, "Write the ID under which this installation asks for tokens."),
        ({"tenant": "a/b"}, "Write the directory"),
        ({"token_source": "google", "grant": "client_credentials"}, "tokens for a refresh token only"),
        ({"new_refresh_token": ""}, "Type the refresh token that the provider issued."),
        ({"new_refresh_token": "two words"}, "A refresh token is one word of ASCII"),
        ({"grant": "client_credentials", "new_client_secret": ""}, "client credentials are nothing without it"),
        ({"forget_refresh_token": "on"}, "Either type a new refresh token or forget the stored one."),
        ({"token_source": "other", "token_url": ""}, "must begin with https://"),
        ({"token_source": "other", "token_url": "http://login.example.com/token"}, "must begin with https://"),
        ({"token_source": "other", "token_url": "https://"}, "This is no address of the Web."),
        ({"token_source": "other", "token_url": "https://example.com:99999/"}, "This is no address of the Web."),
        ({"token_source": "other", "token_url": "https://[/"}, "This is no address of the Web."),
        ({"token_source": "other", "token_url": "https://me:pw@example.com/"}, "without a user name"),
        ({"token_source": "other", "token_url": "https://example.com/#token"}, "without “#”"),
    ],
)  # fmt: skip
def test_it_says_what_is_missing_or_wrong(
    at_marketer: Client, place: Place, values: dict[str, str], sentence: str
) -> None:
    page = place.added(at_marketer, **values)

    assert any(part in page for part in sentence.split("|"))
    assert not place.model._base_manager.exists()


@pytest.mark.parametrize(
    ("values", "url", "scope"),
    [
        ({}, "https://login.microsoftonline.com/example.onmicrosoft.com/oauth2/v2.0/token", ""),
        (
            {"grant": "client_credentials"},
            "https://login.microsoftonline.com/example.onmicrosoft.com/oauth2/v2.0/token",
            "https://outlook.office365.com/.default",
        ),
        ({"token_source": "google"}, "https://oauth2.googleapis.com/token", ""),
        (
            {"token_source": "other", "token_url": "https://sso.house:8443/token", "scope": "mail"},
            "https://sso.house:8443/token",
            "mail",
        ),
    ],
)
def test_the_choices_know_where_and_for_what_to_ask(
    at_marketer: Client, place: Place, values: dict[str, str], url: str, scope: str
) -> None:
    place.added(at_marketer, **values)

    asked = place.row().token_request()
    assert (asked.url, asked.form.get("scope", "")) == (url, scope)


def test_nothing_of_it_is_asked_for_where_no_token_is_needed(at_marketer: Client, place: Place) -> None:
    plain = "PLAIN" if place.model is Route else "password"
    place.added(at_marketer, **{place.login_field: plain, "tenant": "", "client_id": "", "new_refresh_token": ""})

    assert place.row().access is None


def test_a_token_can_be_typed_as_the_password(at_marketer: Client, place: Place) -> None:
    place.added(
        at_marketer, token_source="typed", new_password="ya29.typed", client_id="", tenant="", new_refresh_token=""
    )

    row = place.row()
    assert (row.access, row.password) == (None, "ya29.typed")


def test_each_field_says_for_which_choices_it_shows(at_marketer: Client, place: Place) -> None:
    page = at_marketer.get(place.page("add")).content.decode()

    fields = dict(re.findall(r'name="(\w+)"[^>]*data-shown-for="([^"]*)"', page))
    assert set(fields) == {
        "token_source", "tenant", "token_url", "grant", "client_id", "scope", "new_password", "forget_password",
        "new_client_secret", "forget_client_secret", "new_refresh_token", "forget_refresh_token",
    }  # fmt: skip
    assert "microsoft" in fields["tenant"]
    assert "other" in fields["token_url"]
    assert "google" not in fields["tenant"] + fields["token_url"]


def test_who_may_only_look_sees_what_is_in_use_and_no_secret(
    at_marketer: Client, at_colleague: Client, place: Place
) -> None:
    place.added(at_marketer)
    row = place.row()

    page = at_colleague.get(place.page("change", row.pk)).content.decode()

    assert "example.onmicrosoft.com" in page
    assert "the client" in page
    assert not re.search(r"new_|forget_|Token address|Client secret|Refresh token</", page)
    assert not any(secret in page for secret in [*SECRETS.values(), row.sealed_client_secret])


def test_who_may_only_look_at_a_password_login_sees_nothing_of_it(at_colleague: Client, place: Place) -> None:
    row = place.model(name="Plain", host="h", username="me")  # type: ignore[misc]
    row.save()

    page = at_colleague.get(place.page("change", row.pk)).content.decode()

    assert not re.search(r"tenant|client ID|grant", page, re.IGNORECASE)
