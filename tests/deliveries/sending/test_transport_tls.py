"""Encryption and AUTH, judged by aiosmtpd behind certificates of a private authority."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from campaign.lib.connecting import Security
from deliveries.sending.handshake import RouteAddress, RouteUnavailable, Timeouts
from deliveries.sending.transport import Connection
from tests.deliveries.sending.certificates import Authority
from tests.deliveries.sending.servers import free_port
from tests.smtp_sink import SAMPLE, mails

PASSWORD = "a secret of the tests"


class Judge(Controller):
    """aiosmtpd with TLS from the first octet or by STARTTLS."""

    def __init__(self, *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.starttls = starttls
        self.received: list[Envelope] = []
        super().__init__(self, hostname="127.0.0.1", port=free_port(), ssl_context=tls)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        self.received.append(envelope)
        return "250 2.0.0 Ok"

    def factory(self) -> SMTP:
        return SMTP(
            self.handler,
            tls_context=self.starttls,
            require_starttls=self.starttls is not None,
            authenticator=_authenticate,
            auth_require_tls=True,
            auth_exclude_mechanism=["LOGIN"],
        )

    def route(self, security: Security, **changes: str) -> RouteAddress:
        route = RouteAddress("127.0.0.1", self.port, security, ehlo_name="w.example", name="Main")
        return replace(route, timeouts=Timeouts(connect=3), **changes)  # type: ignore[arg-type]


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: object) -> AuthResult:
    right = isinstance(login, LoginPassword) and login == LoginPassword(b"worker", PASSWORD.encode())
    return AuthResult(success=right, handled=False)


@pytest.fixture
def judge() -> Iterator[Callable[..., Judge]]:
    started: list[Judge] = []

    def start(**contexts: ssl.SSLContext) -> Judge:
        started.append(Judge(**contexts))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.stop()


def test_it_encrypts_and_authenticates_by_starttls(authority: Authority, judge: Callable[..., Judge]) -> None:
    server = judge(starttls=authority.right)
    route = server.route(Security.STARTTLS, authority_file=str(authority.file), username="worker", password=PASSWORD)

    with Connection(route) as connection:
        outcomes = [reply.accepted for _, reply in connection.send(mails(3))]
        outcomes += [reply.accepted for _, reply in connection.send(mails(2))]

    assert outcomes == [True] * 5
    assert [envelope.content for envelope in server.received] == [SAMPLE.data] * 5


def test_it_encrypts_from_the_first_octet(authority: Authority, judge: Callable[..., Judge]) -> None:
    server = judge(tls=authority.right)
    large = b"Subject: large\r\n\r\n" + b"0123456789\r\n" * 100_000

    with Connection(server.route(Security.TLS, authority_file=str(authority.file))) as connection:
        outcomes = [reply.accepted for _, reply in connection.send(mails(2, large))]

    assert outcomes == [True, True]
    assert [envelope.content == large for envelope in server.received] == [True, True]


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_it_refuses_a_certificate_of_another_host(
    authority: Authority, judge: Callable[..., Judge], security: Security
) -> None:
    server = judge(**{security.value: authority.wrong_host})

    with pytest.raises(RouteUnavailable, match=r"certificate that is not valid for it.*Check host"):
        Connection(server.route(security, authority_file=str(authority.file))).open()

    assert server.received == []


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_it_refuses_a_certificate_that_has_expired_and_says_who_can_mend_it(
    authority: Authority, judge: Callable[..., Judge], security: Security
) -> None:
    server = judge(**{security.value: authority.expired})

    with pytest.raises(RouteUnavailable, match=r"certificate has expired\. Whoever runs the server has to renew it"):
        Connection(server.route(security, authority_file=str(authority.file))).open()

    assert server.received == []


def test_it_refuses_a_certificate_of_an_unknown_authority(authority: Authority, judge: Callable[..., Judge]) -> None:
    server = judge(starttls=authority.right)

    with pytest.raises(RouteUnavailable, match="certificate"):
        Connection(server.route(Security.STARTTLS)).open()


def test_it_never_falls_back_to_plain_text(judge: Callable[..., Judge]) -> None:
    server = judge()

    with pytest.raises(RouteUnavailable, match="does not offer what the route “Main” asks for"):
        Connection(server.route(Security.STARTTLS, username="worker", password=PASSWORD)).open()


def test_it_says_that_the_port_speaks_no_tls(judge: Callable[..., Judge]) -> None:
    server = judge()

    with pytest.raises(RouteUnavailable, match=r"answered, but not in TLS.*Check port and security"):
        Connection(server.route(Security.TLS)).open()


def test_it_says_that_the_credentials_are_wrong_without_showing_them(
    authority: Authority, judge: Callable[..., Judge]
) -> None:
    server = judge(starttls=authority.right)
    route = server.route(
        Security.STARTTLS, authority_file=str(authority.file), username="worker", password="not the one"
    )

    with pytest.raises(RouteUnavailable, match="refused user name or password: 535") as caught:
        Connection(route).open()

    assert "not the one" not in str(caught.value) + repr(route)
