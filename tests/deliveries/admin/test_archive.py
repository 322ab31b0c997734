"""Archives in the admin."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deliveries.models import Archive, Route

ADD = reverse("admin:deliveries_archive_add")
VALUES = {"name": "Vault", "address": "copies@archive.example", "policy": "offered", "networks": "", "user_agents": ""}


@pytest.fixture
def route() -> Route:
    return Route.objects.create(name="To the archive", host="archive.example", security="tls")


def test_it_takes_a_mailbox_its_route_and_what_tells_the_archive_from_recipients(
    admin_client: Client, route: Route
) -> None:
    values = {
        **VALUES,
        "route": route.pk,
        "address": "copies@bücher.example",
        "networks": "192.0.2.7/24\n2001:db8::/32",
    }

    admin_client.post(ADD, {**values, "user_agents": "VaultBot"})

    made = Archive.objects.get()
    assert (made.address, made.route) == ("copies@xn--bcher-kva.example", route)
    assert [str(network) for network in made.network_list()] == ["192.0.2.0/24", "2001:db8::/32"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"address": ""}, "Write the address of a mailbox, or tick “store .eml files”."),
        ({"address": "nobody"}, "Enter a valid email address."),
        ({"address": "copies@localhost"}, "is not a complete domain name"),
        ({"address": "a@example.com\r\nBcc: b@example.com"}, "Enter a valid email address."),
        ({"route": ""}, "Choose the route by which copies get to the mailbox."),
        ({"route": "999999"}, "Select a valid choice."),
        ({"policy": "never"}, "Select a valid choice."),
        ({"networks": "192.0.2.0/24\nhome"}, "“home” is not a network. Write one a line, for example 192.0.2.0/24."),
        ({"networks": "0.0.0.0/0"}, "is a large part of the Internet"),
        ({"networks": "2000::/3"}, "is a large part of the Internet"),
        ({"user_agents": "VaultBot\nMozilla"}, "“mozilla” is in the names of programs that recipients use"),
        ({"user_agents": "outlook"}, "“outlook” is in the names of programs that recipients use"),
    ],
)
def test_it_answers_beside_the_field_and_keeps_what_was_typed(
    admin_client: Client, route: Route, changes: dict[str, Any], sentence: str
) -> None:
    [name] = changes

    page = admin_client.post(ADD, {**VALUES, "route": route.pk, **changes})

    form = page.context["adminform"].form
    assert sentence in form.errors[name][0]
    assert str(form[name].value() or "") == changes[name]
    assert not Archive.objects.exists()


def test_it_warns_of_copies_that_travel_in_plain_text(admin_client: Client) -> None:
    plain = Route.objects.create(name="Plain", host="archive.example", security="none")

    page = admin_client.post(ADD, {**VALUES, "route": plain.pk}, follow=True).content.decode()

    assert "Copies hold personal data, and the route “Plain” does not encrypt them." in page
    Route.objects.update(host="127.0.0.1")
    page = admin_client.post(ADD, {**VALUES, "name": "Near", "route": plain.pk}, follow=True).content.decode()
    assert "personal data" not in page


def test_it_lets_one_archive_be_the_default_and_one_be_locked(admin_client: Client, route: Route) -> None:
    admin_client.post(ADD, {**VALUES, "route": route.pk, "policy": "locked"})

    page = admin_client.post(ADD, {**VALUES, "route": route.pk, "name": "Second", "policy": "locked"})

    assert "Vault" in page.context["adminform"].form.errors["policy"][0]
    assert Archive.objects.count() == 1


def test_it_is_closed_to_who_may_not_set_up_archives(at_outsider: Client) -> None:
    assert at_outsider.get(ADD).status_code == 403
