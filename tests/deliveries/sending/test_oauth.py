"""Routes that log in by access tokens: a real token endpoint, and aiosmtpd that judges what it is shown."""

import base64
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from campaign.lib.oauth import endpoint
from campaign.lib.oauth.answer import TokenRefused
from campaign.lib.oauth.tokens import YOUNG
from deliveries.models import Delivery, JournalLine, Route, RouteToken
from deliveries.sending import shutdown
from deliveries.sending.handshake import LoginRefused, RouteUnavailable
from deliveries.sending.look import look
from deliveries.sending.outages import Outages
from deliveries.sending.routes import Connections, address_of
from deliveries.sending.transport import Connection
from deliveries.sending.worker import Worker
from deliveries.states import MessageState
from tests.deliveries.factories import builtin_blocks, confirmed, delivery, people, send, states
from tests.deliveries.sending.servers import free_port
from tests.smtp_sink import SinkThread, mails
from tests.token_server import CLIENT_SECRET, REFRESH_TOKEN, TokenServer

pytestmark = pytest.mark.django_db


class Relay(Controller):
    """An SMTP server that takes the token `right`; `shown` is what it was shown, `heard` what was said to a refusal."""

    def __init__(self) -> None:
        self.right = "a-token"
        self.refusal = "535 5.7.8 Bad credentials"
        self.shown: list[str] = []
        self.heard: list[object] = []
        self.received = 0
        super().__init__(self, hostname="127.0.0.1", port=free_port())

    def factory(self) -> SMTP:
        return SMTP(self.handler, auth_require_tls=False)

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802 - aiosmtpd's name
        return await self._judge(server, args, f"user=ada\x01auth=Bearer {self.right}\x01\x01")

    async def auth_OAUTHBEARER(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802 - aiosmtpd's name
        begin = f"n,a=ada,\x01host=127.0.0.1\x01port={self.port}\x01"
        return await self._judge(server, args, f"{begin}auth=Bearer {self.right}\x01\x01")

    async def _judge(self, server: SMTP, args: list[str], right: str) -> AuthResult:
        self.shown.append(base64.b64decode(args[1]).decode())
        if self.shown[-1] == right:
            return AuthResult(success=True)
        self.heard.append(await server.challenge_auth(b'{"status":"401"}'))
        return AuthResult(success=False, handled=False, message=self.refusal)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.received += 1
        return "250 2.0.0 Ok"


@pytest.fixture
def relay() -> Iterator[Relay]:
    server = Relay()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def route(db: None, relay: Relay, tokens: TokenServer) -> Route:
    made = Route(
        name="Main", host="127.0.0.1", port=relay.port, username="ada", auth_mechanism="XOAUTH2", **tokens.login()
    )
    made.password, made.client_secret, made.refresh_token = "not this", CLIENT_SECRET, REFRESH_TOKEN
    made.save()
    return made


@pytest.fixture
def lane(db: None) -> Iterator[Connections]:
    """The connections of one lane in a process of its own."""
    lane = Connections(Outages())
    yield lane
    lane.close()


def connect(route: Route) -> None:
    """Open a connection and close it."""
    with Connection(address_of(route)) as connection:
        connection.open()


def aged(by: timedelta) -> None:
    """The kept token is older than it was."""
    kept = RouteToken.objects.get()
    assert kept.fetched_at is not None
    RouteToken.objects.update(fetched_at=kept.fetched_at - by)


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_one_token_is_fetched_for_all_connections_and_nothing_for_a_message(
    route: Route, relay: Relay, tokens: TokenServer, mechanism: str, django_assert_num_queries: Any
) -> None:
    route.auth_mechanism, route.messages_per_connection = mechanism, 5
    route.save()
    connect(route)

    with django_assert_num_queries(4), Connection(address_of(route)) as connection:
        codes = [reply.code for _, reply in connection.send(mails(20))]

    assert codes == [250] * 20
    assert (relay.received, len(relay.shown), len(tokens.asked)) == (20, 5, 1)


@pytest.mark.parametrize(("mechanism", "words"), [("XOAUTH2", b""), ("OAUTHBEARER", b"\x01")])
def test_a_token_that_the_relay_refuses_is_fetched_anew_once(
    route: Route, relay: Relay, tokens: TokenServer, mechanism: str, words: bytes
) -> None:
    Route.objects.update(auth_mechanism=mechanism)
    route.refresh_from_db()
    connect(route)
    aged(YOUNG)
    tokens.gives("next")
    relay.right = "next"

    with Connection(address_of(route)) as connection:
        codes = [reply.code for _, reply in connection.send(mails(2))]

    assert codes == [250, 250]
    assert relay.heard == [words]
    assert len(tokens.asked) == 2


def test_a_relay_that_refuses_every_token_makes_nobody_fetch_without_end(
    route: Route, relay: Relay, tokens: TokenServer
) -> None:
    relay.right = "nobody's"
    relay.refusal = "535 5.7.8 a-token is no good"
    said = []

    for _ in range(3):
        with pytest.raises(LoginRefused) as caught:
            connect(route)
        said.append(str(caught.value))

    server = f"The SMTP server 127.0.0.1:{relay.port}"
    mend = "Check user name and scope of the route “Main”, and whether its client may send mail for this user."
    assert set(said) == {f"{server} refused the access token: 535 5.7.8 … is no good. {mend}"}
    assert len(tokens.asked) == 1


def test_a_relay_without_time_is_not_asked_with_another_token(route: Route, relay: Relay, tokens: TokenServer) -> None:
    connect(route)
    aged(YOUNG)
    relay.right, relay.refusal = "nobody's", "454 4.7.0 Temporary authentication failure"

    with pytest.raises(RouteUnavailable, match=r"454 4\.7\.0"):
        connect(route)

    assert len(tokens.asked) == 1


def test_a_typed_token_is_used_as_it_is(route: Route, relay: Relay, tokens: TokenServer) -> None:
    route.token_source = "typed"
    route.password = "typed-token"
    relay.right = "typed-token"

    connect(route)

    assert tokens.asked == []


def test_while_no_token_is_given_the_fallback_stands_in_and_the_journal_says_why(
    route: Route, lane: Connections, smtp_sink: SinkThread, tokens: TokenServer, caplog: pytest.LogCaptureFixture
) -> None:
    tokens.refuses("invalid_grant", f"{REFRESH_TOKEN} was revoked")
    route.fallback = Route.objects.create(name="Spare", host="127.0.0.1", port=smtp_sink.port)
    route.save()
    made = delivery(route=route)

    with caplog.at_level(logging.DEBUG):
        stand_in = lane.to(made)
        again = lane.to(made)

    assert stand_in.route.name == again.route.name == "Spare"
    assert len(tokens.asked) == 1
    sentence = JournalLine.objects.get(delivery=made, level="warning").sentence
    assert sentence.startswith(
        "The route “Main” cannot be used, “Spare” stands in for it. The token endpoint 127.0.0.1 "
    )
    assert "Have a new one issued, and type it at the route “Main”." in sentence
    assert not any(secret in caplog.text + sentence for secret in (REFRESH_TOKEN, CLIENT_SECRET))


def test_a_route_whose_secret_was_typed_anew_is_tried_at_once(
    route: Route, lane: Connections, smtp_sink: SinkThread, tokens: TokenServer
) -> None:
    tokens.refuses("invalid_grant")
    route.fallback = Route.objects.create(name="Spare", host="127.0.0.1", port=smtp_sink.port)
    route.save()
    made = delivery(route=route)
    lane.to(made)
    tokens.gives("a-token")

    route.refresh_token = "issued anew"
    route.save()

    assert lane.to(made).route.name == "Main"
    assert tokens.asked[-1]["refresh_token"] == "issued anew"


def test_a_renewed_token_closes_no_connection(route: Route, lane: Connections, relay: Relay) -> None:
    made = delivery(route=route)
    before = lane.to(made)

    look(route)

    assert lane.to(made) is before
    assert len(relay.shown) == 2  # the lane, and the test of the route


def test_without_another_route_the_delivery_is_told_why(route: Route, lane: Connections, tokens: TokenServer) -> None:
    tokens.refuses("invalid_client")

    with pytest.raises(RouteUnavailable, match="does not know client ID and client secret"):
        lane.to(delivery(route=route))


def test_an_endpoint_that_says_nothing_holds_nobody_up_for_long(
    route: Route, tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "SECONDS", 0.2)
    hold = threading.Event()
    tokens.says(b"", hold=hold)

    with pytest.raises(RouteUnavailable, match="did not answer within"):
        connect(route)
    hold.set()


def test_a_worker_that_must_end_waits_for_no_token(
    route: Route, tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutdown, "PATIENCE", 0.1)
    hold = threading.Event()
    tokens.says(b"", hold=hold)
    shutdown.ask()
    try:
        with pytest.raises(RouteUnavailable, match="the worker had to end before the server answered"):
            connect(route)
    finally:
        shutdown.forget()
        hold.set()

    assert not RouteToken.objects.exclude(problem="").exists()


def test_a_secret_that_cannot_be_read_makes_the_route_unavailable(route: Route) -> None:
    route.sealed_refresh_token = "sealed by nobody"
    route.save()

    with pytest.raises(RouteUnavailable, match="SECRET_KEY has changed"):
        connect(route)


def test_an_address_shows_no_secret(route: Route) -> None:
    shown = repr(address_of(route))

    assert not any(secret in shown for secret in ("not this", CLIENT_SECRET, REFRESH_TOKEN, "a-token"))


def test_testing_says_where_the_token_is_from(route: Route) -> None:
    said = look(route)

    assert "logged in as “ada” by AUTH XOAUTH2 with an access token from 127.0.0.1; it offers" in said
    assert "a-token" not in said


def test_testing_tells_that_the_endpoint_refuses_while_a_kept_token_is_good(route: Route, tokens: TokenServer) -> None:
    look(route)
    tokens.refuses("invalid_client")

    with pytest.raises(TokenRefused, match="does not know client ID and client secret"):
        look(route)
    connect(route)


def test_testing_tells_that_the_relay_refuses_the_token(route: Route, relay: Relay, tokens: TokenServer) -> None:
    relay.right = "nobody's"

    with pytest.raises(RouteUnavailable, match="refused the access token: 535"):
        look(route)

    assert len(tokens.asked) == 1


def test_a_delivery_rests_while_no_token_is_given_and_goes_on_when_one_is(
    route: Route, relay: Relay, tokens: TokenServer, tmp_path: Path
) -> None:
    builtin_blocks()
    made = confirmed(delivery(people(3), route=route))
    tokens.refuses("invalid_grant")
    worker = Worker(tmp_path)
    try:
        worker.step()
        made.refresh_from_db()
        note, rests = made.state_note, made.rests_until is not None
        tokens.gives("a-token")
        RouteToken.objects.update(problem_at=None)
        Delivery.objects.update(rests_until=None)
        send(worker, made)
    finally:
        worker.close()

    assert rests
    assert "Have a new one issued, and type it at the route “Main”." in note
    assert states(made) == [MessageState.SENT] * 3
    assert relay.received == 3
