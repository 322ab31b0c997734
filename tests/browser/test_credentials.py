"""The credentials of a route in a real browser: what a way of logging in does not need is out of sight."""

import pytest
from playwright.sync_api import Page

from deliveries.models import Route

pytestmark = pytest.mark.django_db(transaction=True)

LABELS = """() => [...document.querySelectorAll("label")]
    .filter((label) => label.checkVisibility()).map((label) => label.textContent.trim().replace("*", ""))"""


def credentials(page: Page) -> list[str]:
    """The labels that one sees between user name and limits."""
    seen = page.evaluate(LABELS)
    return list(seen[seen.index("User name") + 1 : seen.index("Connection limit")])


def test_fields_show_for_the_choices_that_need_them(marketers_page: Page, complaints: list[str]) -> None:
    page = marketers_page
    page.goto("/admin/deliveries/route/add/")
    way, password, client = "Way of logging in", ["Password"], ["Client ID", "Client secret"]

    shown = [credentials(page)]
    page.select_option("#id_auth_mechanism", "XOAUTH2")
    shown.append(credentials(page))
    page.select_option("#id_token_source", "microsoft")
    shown.append(credentials(page))
    page.select_option("#id_grant", "client_credentials")
    shown.append(credentials(page))
    page.select_option("#id_token_source", "other")
    shown.append(credentials(page))
    page.select_option("#id_token_source", "typed")
    shown.append(credentials(page))

    tokens = [way, "Access tokens from"]
    assert shown == [
        [way, *password],
        [*tokens, *password],
        [*tokens, "Tenant", "Grant", *client, "Refresh token", "Scope"],
        [*tokens, "Tenant", "Grant", *client, "Scope"],
        [*tokens, "Token address", "Grant", *client, "Scope"],
        [*tokens, *password],
    ]
    assert complaints == []


def test_what_is_stored_can_be_forgotten(marketers_page: Page) -> None:
    route = Route(name="Main", host="h", username="ada", auth_mechanism="XOAUTH2", token_source="google")
    route.refresh_token = "1//refresh"
    route.save()
    page = marketers_page

    page.goto(f"/admin/deliveries/route/{route.pk}/change/")

    assert [label for label in credentials(page) if "Forget" in label] == ["Forget the stored refresh token"]


def test_what_is_wrong_with_a_field_is_never_out_of_sight(marketers_page: Page) -> None:
    page = marketers_page
    page.goto("/admin/deliveries/route/add/")
    for field, value in {"name": "Main", "host": "smtp.example.com", "username": "ada"}.items():
        page.fill(f"#id_{field}", value)
    page.select_option("#id_auth_mechanism", "XOAUTH2")
    page.select_option("#id_token_source", "microsoft")
    page.press("#id_client_id", "Enter")
    page.get_by_text("Write the directory (tenant) ID").wait_for()

    page.select_option("#id_token_source", "google")

    assert page.get_by_text("Write the directory (tenant) ID").is_visible()
    assert not Route.objects.filter(name="Main").exists()
