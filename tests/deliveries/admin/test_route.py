import socket
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from deliveries.models import Route

PASSWORD = "top-secret-password"


def form(**values: Any) -> dict[str, Any]:
    return {"name": "Relay", "host": "127.0.0.1", "port": 25, "security": "none", "username": "me", **values}


def change(client: Client, route: Route, **values: Any) -> Any:
    response = client.post(reverse("admin:deliveries_route_change", args=[route.pk]), form(**values))
    route.refresh_from_db()
    return response


def tried(client: Client, route: Route) -> tuple[int, str]:
    response = client.post(reverse("admin:deliveries_route_test", args=[route.pk]))
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

    status, sentence = tried(at_marketer, route)

    assert status == 302
    assert sentence == f"The connection to 127.0.0.1:{smtp_sink.port} works. No message was sent."
    assert not smtp_sink.messages


def test_it_says_why_a_connection_does_not_work(at_marketer: Client) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        route = Route.objects.create(name="Nobody", host="127.0.0.1", port=closed.getsockname()[1])

        _, sentence = tried(at_marketer, route)

    assert "Nobody" in sentence
    assert "works" not in sentence


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
