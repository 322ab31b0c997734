"""Connecting: every way of logging in, LMTP, and a server that ends it at each stage; on real loopback sockets."""

import base64
import hashlib
import hmac
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from campaign.lib.connecting import Security
from deliveries.relay import Mechanism, Protocol
from deliveries.sending.handshake import Handshake, LoginRefused, RouteAddress, RouteUnavailable, Timeouts, open_session
from deliveries.sending.transport import Connection
from tests.deliveries.sending.certificates import Authority
from tests.deliveries.sending.servers import Dialogue, ScriptedServer, free_port, says, serving
from tests.smtp_sink import SAMPLE, mails


def reset(*lines: str) -> Dialogue:
    """The same, with a reset instead of an orderly end."""

    def dialogue(peer: socket.socket) -> None:
        says(*lines)(peer)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    return dialogue


BANNER = "220 here"
EHLO = "250-here|250-STARTTLS|250 AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2"
STARTTLS = {"security": Security.STARTTLS}
AUTH = {"username": "worker", "password": "secret"}
LONG = 20.0
"""Seconds that a busy machine does not need."""
GREETING, ENCRYPTION, LOGIN = "during the greeting", "while agreeing on encryption", "while logging in"


def hang_up(peer: socket.socket) -> None:
    """Close at once."""


@pytest.mark.parametrize(
    ("dialogue", "route", "stage"),
    [
        (hang_up, {}, GREETING),
        (says(BANNER), {}, GREETING),
        (says(BANNER, EHLO), STARTTLS, ENCRYPTION),
        (says(BANNER, EHLO, "220 Go on"), STARTTLS, ENCRYPTION),
        (hang_up, {"security": Security.TLS}, ENCRYPTION),
        (says(BANNER, EHLO), AUTH, LOGIN),
        (says(BANNER, EHLO, "334 "), {**AUTH, "mechanism": Mechanism.LOGIN}, LOGIN),
        (says(BANNER), {"protocol": Protocol.LMTP}, GREETING),
        (reset(BANNER), {}, GREETING),
        (reset(BANNER, EHLO), STARTTLS, ENCRYPTION),
        (reset(BANNER, EHLO), AUTH, LOGIN),
    ],
)
def test_it_says_at_which_stage_the_server_went_away(dialogue: Dialogue, route: dict[str, object], stage: str) -> None:
    with serving(dialogue, **route) as address, pytest.raises(RouteUnavailable) as caught:
        open_session(address)

    where = f"{address.protocol.upper()} server 127.0.0.1:{address.port}"
    assert str(caught.value).startswith(f"The {where} closed the connection {stage}. Check ")
    assert "the route “Main”" in str(caught.value)


@pytest.mark.parametrize(
    ("dialogue", "route"),
    [
        (says(""), {}),
        (says(BANNER, ""), {}),
        (says(BANNER, EHLO, ""), STARTTLS),
        (says(BANNER, EHLO, "220 Go on", ""), STARTTLS),
        (says(""), {"security": Security.TLS}),
        (says(BANNER, EHLO, ""), AUTH),
    ],
)
def test_it_waits_no_longer_than_agreed_at_any_stage(dialogue: Dialogue, route: dict[str, object]) -> None:
    began = time.monotonic()

    with (
        serving(dialogue, **route) as address,
        pytest.raises(RouteUnavailable, match=r"did not answer within 0\.5 seconds"),
    ):
        open_session(address)

    assert time.monotonic() - began < LONG


@pytest.mark.parametrize("tarpit", [b"220-patience\r\n", b"2"])
def test_it_is_not_held_by_a_server_that_talks_without_end(tarpit: bytes) -> None:
    def dialogue(peer: socket.socket) -> None:
        for _ in range(int(10 * LONG)):
            peer.sendall(tarpit)
            time.sleep(0.1)

    began = time.monotonic()
    with serving(dialogue) as address, pytest.raises(RouteUnavailable, match="did not answer within"):
        open_session(address)

    assert time.monotonic() - began < LONG


@pytest.mark.parametrize(
    ("dialogue", "route", "sentence"),
    [
        (says("421 4.3.2 Busy"), {}, r"session during the greeting: 421 4\.3\.2 Busy\. Check the route “Main”"),
        (says(BANNER, "421 4.3.2 Busy", "421 4.3.2 Busy"), {}, r"during the greeting: 421 4\.3\.2 Busy"),
        (says(BANNER, "500 What?"), {"protocol": Protocol.LMTP}, r"during the greeting: 500 What\?"),
        (says(BANNER, EHLO, "454 4.7.0 No TLS now"), STARTTLS, r"while agreeing on encryption: 454 4\.7\.0 No TLS now"),
        (says(BANNER, EHLO, "220 Go on", "HTTP/1.1 400"), STARTTLS, "answered, but not in TLS"),
        (says(BANNER, EHLO, "535 5.7.8 No", "535 5.7.8 No", "535 5.7.8 No"), AUTH, "refused user name or password"),
        (says(BANNER, EHLO, "454 4.7.0 Later"), {**AUTH, "mechanism": Mechanism.PLAIN}, "454 4.7.0 Later"),
        (
            says(BANNER, "250-here|250 AUTH PLAIN"),
            {**AUTH, "mechanism": Mechanism.CRAM_MD5},
            "offers AUTH PLAIN, not",
        ),
        (says(BANNER, "250 here"), {**AUTH, "mechanism": Mechanism.XOAUTH2}, "it offers no AUTH, not XOAUTH2"),
        (says(BANNER, "250 here"), AUTH, "asks for: it offers no AUTH, not CRAM-MD5 or PLAIN or LOGIN"),
        (says(BANNER, "250-here|250 AUTH NTLM"), AUTH, "it offers AUTH NTLM, not CRAM-MD5 or PLAIN or LOGIN"),
        (says(BANNER, "250 here"), STARTTLS, "asks for: it offers no STARTTLS"),
        (says(BANNER, EHLO), {**AUTH, "password": "Käse", "mechanism": Mechanism.PLAIN}, "Use ASCII"),
    ],
)
def test_it_says_what_the_server_refused(dialogue: Dialogue, route: dict[str, object], sentence: str) -> None:
    with serving(dialogue, **route) as address, pytest.raises(RouteUnavailable, match=sentence) as caught:
        open_session(address)

    assert "Käse" not in str(caught.value)


def test_it_says_that_no_authority_file_is_there() -> None:
    changes = {**STARTTLS, "authority_file": "/nowhere/authority.pem"}

    with (
        serving(says(BANNER, EHLO, "220 Go on"), **changes) as address,
        pytest.raises(RouteUnavailable, match=r"file /nowhere/authority\.pem of the route “Main” cannot be used"),
    ):
        open_session(address)


def test_it_reads_an_authority_file_again_that_was_changed(authority: Authority, tmp_path: Path) -> None:
    def dialogue(peer: socket.socket) -> None:
        with authority.right.wrap_socket(peer, server_side=True) as encrypted:
            says(BANNER, "250 here")(encrypted)

    file = tmp_path / "authority.pem"
    route = {"security": Security.TLS, "authority_file": str(file), "timeouts": Timeouts(connect=3)}
    file.write_text("no certificate")
    os.utime(file, (1, 1))

    with (
        serving(dialogue, **route) as address,
        pytest.raises(RouteUnavailable, match="cannot be used on this host"),
    ):
        open_session(address)
    file.write_bytes(authority.file.read_bytes())

    with serving(dialogue, **route) as address:
        open_session(address).close()


@pytest.mark.parametrize("source", ["192.0.2.1", "2001:db8::1"])
def test_it_says_that_the_source_address_is_not_of_this_host(source: str) -> None:
    with (
        serving(hang_up, source_address=source) as address,
        pytest.raises(RouteUnavailable, match="Check the source address of the route “Main”"),
    ):
        open_session(address)


def test_it_connects_from_the_source_address() -> None:
    peers: list[str] = []

    def dialogue(peer: socket.socket) -> None:
        peers.append(peer.getpeername()[0])
        says(BANNER, "250 here")(peer)

    with serving(dialogue, source_address="127.0.0.2") as address:
        open_session(address).close()

    assert peers == ["127.0.0.2"]


def test_it_takes_any_certificate_when_told_not_to_check(authority: Authority) -> None:
    def dialogue(peer: socket.socket) -> None:
        with authority.wrong_host.wrap_socket(peer, server_side=True) as encrypted:
            says(BANNER, "250 here")(encrypted)

    with serving(dialogue, security=Security.TLS, certificate_checks=False, timeouts=Timeouts(connect=3)) as address:
        session = open_session(address)
        encrypted = isinstance(session.sock, ssl.SSLSocket)
        session.close()

    assert encrypted


class Door:
    """An ESMTP server that knows the four ways in; `heard` is what came after AUTH, decoded."""

    def __init__(self, offered: str) -> None:
        self.offered = offered
        self.heard: list[str] = []

    def __call__(self, peer: socket.socket) -> None:
        lines = peer.makefile("rb")

        def ask(line: str) -> str:
            peer.sendall(line.encode() + b"\r\n")
            return lines.readline().decode().strip()

        ask("220 door")
        said = ask(f"250-door\r\n250 AUTH {self.offered}")
        while said.startswith("AUTH"):
            _, mechanism, *initial = said.split()
            answer = getattr(self, mechanism.replace("-", "_").lower())
            right = answer(lambda challenge: base64.b64decode(ask(f"334 {challenge}")).decode(), initial)
            said = ask("235 2.7.0 Welcome" if right else "535 5.7.8 No")

    def plain(self, ask: Callable[[str], str], initial: list[str]) -> bool:
        return base64.b64decode(initial[0]) == b"\0worker\0secret"

    def login(self, ask: Callable[[str], str], initial: list[str]) -> bool:
        return not initial and (ask("VXNlcm5hbWU6"), ask("UGFzc3dvcmQ6")) == ("worker", "secret")

    def cram_md5(self, ask: Callable[[str], str], initial: list[str]) -> bool:
        name, _, digest = ask(base64.b64encode(b"<1@door>").decode()).partition(" ")
        return (name, digest) == ("worker", hmac.new(b"secret", b"<1@door>", hashlib.md5).hexdigest())

    def xoauth2(self, ask: Callable[[str], str], initial: list[str]) -> bool:
        self.heard.append(base64.b64decode(initial[0]).decode())
        if self.heard[-1] == "user=worker\x01auth=Bearer secret\x01\x01":
            return True
        self.heard.append(ask(base64.b64encode(b'{"status":"401"}').decode()))
        return False


ALL = "PLAIN LOGIN CRAM-MD5 XOAUTH2"


@pytest.mark.parametrize(
    ("mechanism", "offered", "used"),
    [
        (Mechanism.PLAIN, ALL, "PLAIN"),
        (Mechanism.LOGIN, ALL, "LOGIN"),
        (Mechanism.CRAM_MD5, ALL, "CRAM-MD5"),
        (Mechanism.XOAUTH2, ALL, "XOAUTH2"),
        (Mechanism.AUTOMATIC, ALL, "CRAM-MD5"),
        (Mechanism.AUTOMATIC, "LOGIN PLAIN", "PLAIN"),
    ],
)
def test_it_logs_in_each_way(mechanism: Mechanism, offered: str, used: str) -> None:
    with serving(Door(offered), **AUTH, mechanism=mechanism) as address:
        session = open_session(address)
        session.close()

    assert session.mechanism == used


@pytest.mark.parametrize("hangs_up", [True, False])
def test_it_says_that_the_password_was_refused_although_the_server_lets_who_failed_wait(hangs_up: bool) -> None:
    def door(peer: socket.socket) -> None:
        lines = peer.makefile("rb")
        for answer in ("220 door", "250-door\r\n250 AUTH PLAIN CRAM-MD5", "334 PDE+", "535 5.7.8 Wrong"):
            peer.sendall(answer.encode() + b"\r\n")
            lines.readline()
        if not hangs_up:
            lines.readline()  # until the other side gives up

    with (
        serving(door, **AUTH, timeouts=Timeouts(connect=3)) as address,
        pytest.raises(LoginRefused, match=r"refused user name or password: 535 5\.7\.8 Wrong"),
    ):
        open_session(address)


def test_it_goes_on_to_the_next_way_where_one_is_refused() -> None:
    class WithoutPasswords(Door):
        """Keeps hashes only, and offers all the same what needs the password."""

        def cram_md5(self, ask: Callable[[str], str], initial: list[str]) -> bool:
            super().cram_md5(ask, initial)
            return False

    door = WithoutPasswords("CRAM-MD5 LOGIN")

    with serving(door, **AUTH) as address:
        session = open_session(address)
        session.close()

    assert session.mechanism == "LOGIN"


def test_it_ends_a_refused_token_in_order() -> None:
    door = Door(ALL)

    with (
        serving(door, username="worker", password="expired", mechanism=Mechanism.XOAUTH2) as address,
        pytest.raises(RouteUnavailable, match="refused the access token: 535") as caught,
    ):
        open_session(address)

    assert door.heard == ["user=worker\x01auth=Bearer expired\x01\x01", ""]
    assert "expired" not in str(caught.value)


class Mailboxes(Controller):
    """aiosmtpd's LMTP server; a mailbox that begins with “full” takes nothing."""

    def __init__(self) -> None:
        self.received: list[Envelope] = []
        super().__init__(self, hostname="127.0.0.1", port=free_port())

    def factory(self) -> SMTP:
        return LMTP(self.handler)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("full"):
            return "452 4.2.2 Mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.received.append(envelope)
        return "250 2.0.0 Kept"


@pytest.fixture
def mailboxes() -> Iterator[Mailboxes]:
    server = Mailboxes()
    server.start()
    yield server
    server.stop()


def test_it_hands_over_by_lmtp(mailboxes: Mailboxes) -> None:
    route = RouteAddress("127.0.0.1", mailboxes.port, protocol=Protocol.LMTP, ehlo_name="w.example")
    sent = [*mails(2), replace(SAMPLE, id=3, recipient="full@example.org"), replace(SAMPLE, id=4)]

    with Connection(route) as connection:
        outcomes = [(mail.id, reply.code) for mail, reply in connection.send(sent)]

    assert outcomes == [(1, 250), (2, 250), (3, 452), (4, 250)]
    assert [envelope.content for envelope in mailboxes.received] == [SAMPLE.data] * 3


def test_it_says_lhlo_to_an_lmtp_server_only() -> None:
    with ScriptedServer({"LHLO": "250 here"}) as server:
        session: Handshake = open_session(replace(server.route, protocol=Protocol.LMTP))
        session.close()

    assert server.heard == b"lhlo w.example\r\n"
