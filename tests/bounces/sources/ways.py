"""Every way in behind one face, so that one set of cases runs over all of them."""

import asyncio
import functools
import io
import smtplib
import sys
import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from bounces.models import BounceMailbox
from bounces.sources.collect import collect
from bounces.sources.listener import Listener
from campaign.lib.clock import now
from deliveries.models import Message
from tests.bounces import sent
from tests.bounces.sources.providers import CALLERS, Call, Caller
from tests.deliveries.sending.certificates import Authority
from tests.dovecot import PASSWORD, Dovecot

FOREIGN = b"From: ada@example.net\nTo: news@example.com\nSubject: foreign\n\nHello, is anybody there?\n"
FEEDBACK_ADDRESS = "fbl@example.com"


class Way(ABC):
    """One way in, with what waits at the other side."""

    foreign_stays = True
    """Whether the other side keeps what is not ours (a provider keeps nothing)."""

    @abstractmethod
    def bring(self, message: Message | None, words: str = sent.GONE) -> None:
        """Something waits: a bounce of a message, or what is about none of ours."""

    @abstractmethod
    def take(self) -> None:
        """Everything that waits is taken, as far as it can be."""

    @abstractmethod
    def waiting(self) -> int:
        """How much still waits at the other side, or would be brought again."""

    def close(self) -> None:  # noqa: B027 (most have nothing to close)
        """The test is over."""


def mailbox(server: Dovecot, authority: Authority, **values: Any) -> BounceMailbox:
    """A mailbox on the test's Dovecot, of somebody nobody knew before."""
    user = f"u{uuid.uuid4().hex[:12]}"
    defaults: dict[str, Any] = {
        "name": user, "protocol": "imap", "host": "127.0.0.1", "security": "tls",
        "authority_file": str(authority.file), "username": user, "ours": "delete",
    }  # fmt: skip
    made = BounceMailbox(**{**defaults, **values})
    if "port" not in values:
        made.port = server.port(made.protocol, made.security)
    made.password = PASSWORD
    made.save()
    return made


Make = Callable[..., BounceMailbox]


@pytest.fixture
def make(dovecot: Dovecot, authority: Authority) -> Make:
    """Makes such mailboxes; a module says by a fixture of this name which ones."""
    return functools.partial(mailbox, dovecot, authority)


def read(box: BounceMailbox) -> BounceMailbox:
    """The mailbox after all its mails were taken."""
    collect(box, now() + timedelta(seconds=30))
    box.refresh_from_db()
    return box


class InMailbox(Way):
    def __init__(self, server: Dovecot, authority: Authority, **values: Any) -> None:
        self.server = server
        self.mailbox = mailbox(server, authority, **values)

    def bring(self, message: Message | None, words: str = sent.GONE) -> None:
        self.server.put(self.mailbox.username, FOREIGN if message is None else sent.bounce(message, words))

    def take(self) -> None:
        collect(self.mailbox, now() + timedelta(seconds=30))

    def waiting(self) -> int:
        return len(self.server.subjects(self.mailbox.username))


class ByServer(Way):
    def __init__(self, *, lmtp: bool) -> None:
        self._lmtp = lmtp
        self._queue: list[tuple[str, bytes]] = []
        self._stack = ExitStack()
        self.port = self._stack.enter_context(serving(Listener("mx.example.com", [FEEDBACK_ADDRESS]), lmtp=lmtp))

    def bring(self, message: Message | None, words: str = sent.GONE) -> None:
        if message is None:
            self._queue.append((FEEDBACK_ADDRESS, FOREIGN))
        else:
            self._queue.append((sent.return_path(message), sent.bounce(message, words)))

    def take(self) -> None:
        made = smtplib.LMTP if self._lmtp else smtplib.SMTP
        refused = []
        with made("127.0.0.1", self.port, local_hostname="mta.example.org") as client:
            for address, raw in self._queue:
                try:
                    client.sendmail("", [address], raw)
                except smtplib.SMTPException:
                    refused.append((address, raw))
        self._queue = refused

    def waiting(self) -> int:
        return len(self._queue)

    def close(self) -> None:
        self._stack.close()


@contextmanager
def serving(listener: Listener, *, lmtp: bool = False) -> Iterator[int]:
    """The listener in a thread with a loop of its own; its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    port = asyncio.run_coroutine_threadsafe(listener.listen("127.0.0.1", 0, lmtp=lmtp), loop).result(10)
    try:
        yield port
    finally:
        asyncio.run_coroutine_threadsafe(listener.end(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


class ByPipe(Way):
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self._queue: list[bytes] = []

    def bring(self, message: Message | None, words: str = sent.GONE) -> None:
        self._queue.append(FOREIGN if message is None else sent.bounce(message, words))

    def take(self) -> None:
        self._queue = [raw for raw in self._queue if self.piped(raw) != 0]

    def piped(self, raw: bytes, *options: str) -> int:
        """The exit code."""
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
        try:
            call_command("qualify", "-", *options, stdout=io.StringIO())
        except CommandError as error:
            return error.returncode
        return 0

    def waiting(self) -> int:
        return len(self._queue)


class ByWebhook(Way):
    foreign_stays = False

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self._queue: list[Call] = []

    def bring(self, message: Message | None, words: str = sent.GONE) -> None:
        self._queue.append(self.caller.bounce(message, words))

    def take(self) -> None:
        self._queue = [call for call in self._queue if called(call) != 200]

    def waiting(self) -> int:
        return len(self._queue)


def called(call: Call) -> int:
    """The status that a provider gets for its request."""
    headers = {name: value for name, value in call.headers.items() if name != "Content-Type"}
    content_type = call.headers.get("Content-Type", "application/json")
    return Client().post(call.path, call.body, content_type=content_type, headers=headers).status_code


Maker = Callable[[pytest.FixtureRequest], Way]


def _in_mailbox(protocol: str) -> Maker:
    def make(request: pytest.FixtureRequest) -> Way:
        return InMailbox(request.getfixturevalue("dovecot"), request.getfixturevalue("authority"), protocol=protocol)

    return make


def _by_webhook(caller: type[Caller]) -> Maker:
    def make(request: pytest.FixtureRequest) -> Way:
        request.getfixturevalue("configured")
        return ByWebhook(caller())

    return make


WAYS: dict[str, Maker] = {
    "IMAP": _in_mailbox("imap"),
    "POP3": _in_mailbox("pop3"),
    "SMTP": lambda request: ByServer(lmtp=False),
    "LMTP": lambda request: ByServer(lmtp=True),
    "pipe": lambda request: ByPipe(request.getfixturevalue("monkeypatch")),
    **{caller.name: _by_webhook(caller) for caller in CALLERS},
}


_OWN_CONNECTIONS = ("SMTP", "LMTP")
"""Whose threads see only what is committed."""


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.django_db(transaction=name in _OWN_CONNECTIONS)) for name in WAYS]
)
def way(request: pytest.FixtureRequest) -> Iterator[Way]:
    """Each way in, one after the other."""
    request.getfixturevalue("db")
    made = WAYS[request.param](request)
    yield made
    made.close()
