"""What somebody is told who tests a route."""

import socket
from collections.abc import Callable
from dataclasses import fields

import pytest

from deliveries.models import Route
from deliveries.sending.handshake import RouteAddress, RouteUnavailable
from deliveries.sending.look import look
from deliveries.sending.routes import address_of
from tests.deliveries.sending.certificates import Authority
from tests.deliveries.sending.servers import says, serving
from tests.deliveries.sending.sessions import elsewhere

OFFER = "250-here|250-SIZE 1000|250-X-OWN|250-DSN|250 AUTH PLAIN LOGIN"


def route_to(address: RouteAddress, **values: object) -> Route:
    """A route that leads to the server under test."""
    return Route.objects.create(name="Relay", host=address.host, port=address.port, connection_limit=1, **values)


def encrypted(authority: Authority, *lines: str) -> Callable[[socket.socket], None]:
    """The dialogue inside TLS."""

    def dialogue(peer: socket.socket) -> None:
        with authority.right.wrap_socket(peer, server_side=True) as inside:
            says(*lines)(inside)

    return dialogue


def test_it_says_how_it_is_encrypted_and_logged_in_and_what_is_offered(db: None, authority: Authority) -> None:
    with serving(encrypted(authority, "220 here", OFFER, "235 Welcome", "221 Bye")) as address:
        route = route_to(address, security="tls", authority_file=str(authority.file), username="worker")
        sentence = look(route)

    assert sentence == (
        f"The connection to 127.0.0.1:{address.port} works: TLS 1.3, certificate valid; logged in as “worker” by AUTH "
        "PLAIN; it offers DSN, SIZE 1000. No message was sent."
    )


def test_it_says_what_is_left_unused(db: None, authority: Authority) -> None:
    with serving(encrypted(authority, "220 here", OFFER, "221 Bye")) as address:
        sentence = look(route_to(address, security="tls", check_certificate=False))

    assert "TLS 1.3, certificate not checked; not logged in (offered: AUTH PLAIN LOGIN); it offers" in sentence


def test_it_works_with_a_server_that_offers_nothing(db: None) -> None:
    with serving(says("220 here", "250 here")) as address:
        sentence = look(route_to(address))

    assert "works: not encrypted; no login offered; it offers no extension that sending uses." in sentence


def test_it_gives_its_slot_back_however_it_ends(db: None) -> None:
    with serving(says("554 No")) as address:
        route = route_to(address)
        with pytest.raises(RouteUnavailable, match="554 No"):
            look(route)

    with elsewhere(route):
        pass


def test_every_property_of_an_address_comes_from_the_route(db: None) -> None:
    route = Route(
        name="n", host="h", port=2003, protocol="lmtp", security="tls", username="u", ehlo_name="e",
        authority_file="/a", check_certificate=False, messages_per_connection=7, source_address="::1",
        auth_mechanism="XOAUTH2", token_source="google", connect_seconds=1, command_seconds=2, data_seconds=3,
        content_seconds=4, end_of_data_seconds=5, id=3, messages_per_second=5,
    )  # fmt: skip
    route.password = "p"

    address = address_of(route)

    plain = RouteAddress("", 0)
    assert all(getattr(address, field.name) != getattr(plain, field.name) for field in fields(RouteAddress))
    times = address.timeouts
    assert (times.connect, times.command, times.data, times.content, times.end_of_data) == (1, 2, 3, 4, 5)
