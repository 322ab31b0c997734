import socket
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from deliveries.models import Delivery, Route, SenderDomainRoute
from tests.deliveries.sending.sessions import elsewhere

PASSWORD = "top-secret-password"


def form(**values: Any) -> dict[str, Any]:
    filled = {
        field.name: field.get_default()
        for field in Route._meta.local_concrete_fields
        if field.editable and field.get_default() is not None and field.get_default() is not False
    }
    inline = {"sender_domains-TOTAL_FORMS": 0, "sender_domains-INITIAL_FORMS": 0}
    return {**filled, **inline, "name": "Relay", "host": "127.0.0.1", "username": "me", **values}


def change(client: Client, route: Route, **values: Any) -> Any:
    response = client.post(reverse("admin:deliveries_route_change", args=[route.pk]), form(**values))
    route.refresh_from_db()
    return response


def tried(client: Client, route: Route, **values: Any) -> tuple[int, str]:
    kept = {name: getattr(route, name) for name in ("name", "host", "port", "connection_limit")}
    response = change(client, route, **{**kept, **values, "_test": ""})
    return response.status_code, " ".join(str(message) for message in get_messages(response.wsgi_request))


@pytest.fixture
def relay(db: None) -> Route:
    relay = Route(name="Relay", host="127.0.0.1", port=25, username="me")
    relay.password = PASSWORD
    relay.save()
    return relay


def test_it_stores_a_password_sealed(at_marketer: Client) -> None:
    at_marketer.post(reverse("admin:deliveries_route_add"), form(name="New", new_password=PASSWORD))

    route = Route.objects.get(name="New")
    assert route.password == PASSWORD
    assert PASSWORD not in route.sealed_password


def test_it_never_shows_a_password(at_marketer: Client, relay: Route) -> None:
    page = at_marketer.get(reverse("admin:deliveries_route_change", args=[relay.pk])).content.decode()

    assert PASSWORD not in page
    assert relay.sealed_password not in page
    assert "A password is stored." in page


def test_it_keeps_the_password_when_none_is_typed(at_marketer: Client, relay: Route) -> None:
    change(at_marketer, relay, host="relay.example.com")

    assert (relay.host, relay.password) == ("relay.example.com", PASSWORD)


def test_it_forgets_the_password_on_demand(at_marketer: Client, relay: Route) -> None:
    change(at_marketer, relay, forget_password="on")

    assert relay.sealed_password == ""


def test_it_does_not_keep_and_forget_at_once(at_marketer: Client, relay: Route) -> None:
    page = change(at_marketer, relay, forget_password="on", new_password="x").content.decode()

    assert "Either type a new password or forget the stored one." in page
    assert relay.password == PASSWORD


def test_it_has_one_default_the_latest_choice(at_marketer: Client, relay: Route) -> None:
    former = Route.objects.create(name="Former", host="h", is_default=True)

    change(at_marketer, relay, is_default="on")

    former.refresh_from_db()
    assert (relay.is_default, former.is_default) == (True, False)


def test_it_tests_a_connection_that_works(at_marketer: Client, smtp_sink: Any) -> None:
    route = Route.objects.create(name="Sink", host="127.0.0.1", port=smtp_sink.port)

    status, sentence = tried(at_marketer, route, username="")

    assert status == 302
    assert sentence == (
        f"Saved. The connection to 127.0.0.1:{smtp_sink.port} works: not encrypted; no login offered; it offers "
        "PIPELINING, CHUNKING, 8BITMIME, SMTPUTF8, SIZE 52428800. No message was sent."
    )
    assert not smtp_sink.messages


def test_it_says_why_a_connection_does_not_work(at_marketer: Client) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        route = Route.objects.create(name="Nobody", host="127.0.0.1", port=closed.getsockname()[1])

        _, sentence = tried(at_marketer, route)

    assert sentence.startswith("Saved, but the connection does not work.")
    assert "Nobody" in sentence


def test_it_saves_what_it_tests(at_marketer: Client, smtp_sink: Any) -> None:
    values = form(name="New", port=smtp_sink.port, username="", _test="")

    response = at_marketer.post(reverse("admin:deliveries_route_add"), values, follow=True)

    route = Route.objects.get(name="New")
    assert response.redirect_chain == [(reverse("admin:deliveries_route_change", args=[route.pk]), 302)]
    assert f"Saved. The connection to 127.0.0.1:{smtp_sink.port} works" in response.content.decode()


def test_it_tests_nothing_that_cannot_be_saved(at_marketer: Client, relay: Route) -> None:
    status, sentence = tried(at_marketer, relay, port=0)

    assert (status, sentence) == (200, "")


def test_it_says_when_the_stored_password_cannot_be_read(at_marketer: Client, relay: Route, settings: Any) -> None:
    relay.sealed_password = "broken"
    relay.save()

    _, sentence = tried(at_marketer, relay)

    assert "SECRET_KEY has changed" in sentence


def test_it_lets_nobody_test_who_may_not_change(at_colleague: Client, at_outsider: Client, relay: Route) -> None:
    assert [tried(client, relay)[0] for client in (at_colleague, at_outsider)] == [403, 403]


def test_it_shows_a_colleague_nothing_of_the_password(at_colleague: Client, relay: Route) -> None:
    page = at_colleague.get(reverse("admin:deliveries_route_change", args=[relay.pk])).content.decode()

    assert "password" not in page.lower().replace("change password", "").replace("password_change", "")


def test_it_counts_a_test_as_one_of_the_connections_allowed(at_marketer: Client, smtp_sink: Any) -> None:
    route = Route.objects.create(name="Sink", host="127.0.0.1", port=smtp_sink.port, connection_limit=1)

    with elsewhere(route):
        _, busy = tried(at_marketer, route, username="")
    _, free = tried(at_marketer, route, username="")

    assert busy.startswith(
        "Saved, but the connection does not work. All 1 connections that the route “Sink” allows are in use."
    )
    assert "works" in free
    assert smtp_sink.sink.connections == 1


def test_it_keeps_what_was_chosen(at_marketer: Client, relay: Route) -> None:
    other = Route.objects.create(name="Other", host="h")

    change(
        at_marketer, relay, protocol="lmtp", port=24, auth_mechanism="XOAUTH2", token_source="typed",
        messages_per_second="0.5",
        connection_limit=3, end_of_data_seconds=60, fallback=other.pk, source_address="::1",
    )  # fmt: skip

    assert (relay.protocol, relay.port, relay.auth_mechanism, relay.messages_per_second) == ("lmtp", 24, "XOAUTH2", 0.5)
    assert (relay.connection_limit, relay.end_of_data_seconds, relay.source_address) == (3, 60, "::1")
    assert relay.fallback == other


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"protocol": "lmtp", "port": 25}, "LMTP must not use port 25"),
        ({"auth_mechanism": "XOAUTH2", "username": ""}, "Write the user name that the token belongs to."),
        ({"command_seconds": 0}, "Write a whole number of seconds from 1 to 3,600."),
        ({"messages_per_second": "nan"}, "Write a number of messages per second from 0 to 100,000."),
        ({"port": 70_000}, "Write a whole number from 1 to 65,535."),
        ({"messages_per_connection": "-1"}, "Write a whole number, at least 0."),
        ({"source_address": "localhost"}, "Enter a valid IPv4 or IPv6 address"),
        ({"host": "smtp://relay.example.com/"}, "Write the name or the address alone"),
        ({"host": "relay.example.com:587"}, "Write the name or the address alone"),
    ],
)
def test_it_says_what_does_not_go_together(
    at_marketer: Client, relay: Route, values: dict[str, Any], sentence: str
) -> None:
    page = change(at_marketer, relay, **values).content.decode()

    assert sentence in page


def test_the_list_says_in_words_for_whom_a_route_is_the_default(
    at_marketer: Client, relay: Route, django_assert_max_num_queries: Any
) -> None:
    other = Route.objects.create(name="Other", host="2001:db8::25", is_default=True)
    other.clean()
    for domain in ("example.org", "example.com"):
        SenderDomainRoute.objects.create(domain=domain, route=other)

    with django_assert_max_num_queries(8):
        page = at_marketer.get(reverse("admin:deliveries_route_changelist")).content.decode()

    words = [cell.partition(">")[2].partition("<")[0].strip() for cell in page.split("field-default_for")[1:]]
    assert sorted(words) == ["", "example.com, example.org, all other senders"]


@pytest.mark.parametrize("back", ["Relay", "Second", "Third"])
def test_it_refuses_a_circle_of_fallbacks(at_marketer: Client, relay: Route, back: str) -> None:
    third = Route.objects.create(name="Third", host="h", fallback=relay)
    Route.objects.create(name="Second", host="h", fallback=third)

    page = change(at_marketer, relay, fallback=Route.objects.get(name=back).pk).content.decode()

    assert "falls back to this route" in page
    assert relay.fallback is None


def test_it_keeps_a_sender_domain_as_it_will_be_looked_for(at_marketer: Client, relay: Route) -> None:
    rows = {"sender_domains-TOTAL_FORMS": 1, "sender_domains-0-domain": " Bücher.Example ", "sender_domains-0-id": ""}

    change(at_marketer, relay, **rows, **{"sender_domains-0-route": relay.pk})

    assert [rule.domain for rule in relay.sender_domains.all()] == ["xn--bcher-kva.example"]


def test_it_says_that_a_sender_domain_is_none(at_marketer: Client, relay: Route) -> None:
    rows = {"sender_domains-TOTAL_FORMS": 1, "sender_domains-0-domain": "me@example.com", "sender_domains-0-id": ""}

    page = change(at_marketer, relay, **rows, **{"sender_domains-0-route": relay.pk}).content.decode()

    assert "is not a domain name" in page
    assert not relay.sender_domains.exists()


def test_it_says_who_needs_a_route_that_somebody_wants_to_delete(admin_client: Client) -> None:
    used = Route.objects.create(name="Used", host="h")
    Delivery.objects.create(label="One", route=used)

    page = admin_client.get(f"/admin/deliveries/route/{used.pk}/delete/").content.decode()

    assert "This route cannot be deleted now" in page
    assert "Used by deliveries: 1." in page
    assert "permission" not in page
