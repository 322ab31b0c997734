"""Bounces by SMTP (RFC 5321) or LMTP (RFC 2033): a server for the return path's domain that takes nothing else.

It answers 250 only after what follows from the mail is committed, 451 while the database is away, and 550 to an address
that we did not sign. It passes no mail on to anybody.
"""

import asyncio
import logging
import ssl
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import InterfaceError, OperationalError, close_old_connections, connections

from bounces.parsing import MAX_OCTETS
from bounces.process import MOST_TOGETHER, Processed, of_mail, process_all
from bounces.sources.content import read_content
from bounces.sources.together import Together
from bounces.understanding import Brought
from deliveries.identifiers import ids_in, is_signed, keyed

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

MAX_MAIL_OCTETS: Final = 52_428_800
"""Of one mail; only its beginning is kept, so memory does not grow with it."""
MAX_CONNECTIONS: Final = 100
"""At a time, in all."""
MAX_CONNECTIONS_OF_ONE: Final = 25
"""At a time, from one address; a server nearby that passes mail on opens 20 at most unless it is told otherwise."""
MAX_REFUSALS: Final = 20
"""Addresses that one connection may try in vain."""
TIMEOUT_SECONDS: Final = 300.0
"""For a command, and for a whole mail (RFC 5321, section 4.5.3.2.7)."""
GRACE_SECONDS: Final = 10.0
"""For mails that are under way when the server is to end."""
DATABASE_THREADS: Final = 4

_AWAY: Final = "451 4.3.0 The database is away. Try again later."
_ENDING: Final = "421 4.3.2 This server is about to end. Try again later."


class Listener:
    """Ports that mails come in by, and what becomes of them. ``accepted`` are addresses taken without a signature."""

    def __init__(
        self, hostname: str, accepted: Iterable[str] = (), *, certificate: Path | None = None, key: Path | None = None
    ) -> None:
        self.hostname = hostname
        self.accepted = frozenset(address.lower() for address in accepted)
        self.tls: ssl.SSLContext | None = None
        if certificate is not None:
            self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self.tls.load_cert_chain(certificate, key)
        self.open: set[_Smtp] = set()
        self.peers: Counter[str] = Counter()
        self.is_ending = False
        self._servers: list[asyncio.Server] = []
        self._threads = ThreadPoolExecutor(DATABASE_THREADS, thread_name_prefix="bounces")
        # While the database works for some connections, what the others bring gathers.
        self.mails: Together[Brought, Processed] = Together(
            lambda mails: self.in_database(partial(process_all, mails)), MOST_TOGETHER
        )
        self.addresses: Together[str, bool] = Together(
            lambda asked: self.in_database(partial(self._are_ours, asked)), MAX_CONNECTIONS
        )

    async def listen(self, host: str, port: int, *, lmtp: bool = False) -> int:
        """Take mails at an address; which port it is, for 0. Raises OSError."""
        made = partial(_Lmtp if lmtp else _Smtp, self)
        server = await asyncio.get_running_loop().create_server(made, host, port)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def end(self) -> None:
        """Take no new connection and no new mail, let what is under way come to its end, hang up."""
        self.is_ending = True
        for server in self._servers:
            server.close()
        deadline = asyncio.get_running_loop().time() + GRACE_SECONDS
        while any(each.is_under_way for each in self.open) and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.05)
        for connection in list(self.open):
            await connection.hang_up(_ENDING)
        await self._close_threads()

    async def _close_threads(self) -> None:
        """Each thread closes its own database connection: all of them meet, so none does two of these tasks."""
        meeting = threading.Barrier(DATABASE_THREADS)

        def close() -> None:
            meeting.wait(GRACE_SECONDS)
            connections.close_all()

        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(self._threads, close) for _ in range(DATABASE_THREADS)))
        self._threads.shutdown()

    def _are_ours(self, addresses: Sequence[str]) -> list[bool]:
        """Which of these some message of ours signed, or were given to be accepted."""
        look = keyed(message_id for address in addresses for message_id in ids_in(address)).get
        return [address.lower() in self.accepted or is_signed(address, look) for address in addresses]

    async def in_database(self, work: Callable[[], Answer]) -> Answer:
        """Do what needs the database in a thread that has a connection of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _with_connection, work)


def _with_connection(work: Callable[[], Answer]) -> Answer:
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()


class _Handler:
    """What the server asks when a command is well formed."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    async def handle_EHLO(  # noqa: N802 (aiosmtpd's name)
        self, server: "_Smtp", session: Session, envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        session.host_name = hostname
        kept = [line for line in answers if not line.startswith(("250-AUTH", "250 HELP"))]
        return [*kept, "250-PIPELINING", "250 HELP"]

    async def handle_MAIL(  # noqa: N802
        self, server: "_Smtp", session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._listener.is_ending:
            await server.hang_up(_ENDING)
            return _ENDING
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: "_Smtp", session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if envelope.rcpt_tos:
            # One mail belongs to one message; and with LMTP each recipient would need an answer of its own.
            return "452 4.5.3 One recipient at a time."
        if address.isprintable() and address.isascii():
            try:
                is_ours = await self._listener.addresses.ask(address)
            except (OperationalError, InterfaceError):
                return _AWAY
            if is_ours:
                envelope.rcpt_tos.append(address)
                return "250 2.1.5 OK"
        server.refusals += 1
        if server.refusals >= MAX_REFUSALS:
            await server.hang_up("421 4.7.0 Too many unknown addresses.")
        return "550 5.1.1 No message of ours has this return path."

    async def handle_DATA(self, server: "_Smtp", session: Session, envelope: Envelope) -> str:  # noqa: N802
        raw = envelope.content
        if not isinstance(raw, bytes):  # the server was told not to decode
            raise TypeError(type(raw))
        try:
            done = await self._listener.mails.ask(of_mail(raw, source=server.source, envelope_to=envelope.rcpt_tos[0]))
        except (OperationalError, InterfaceError):
            return _AWAY
        if not done.is_taken:
            return "550 5.7.1 This mail is about no message of ours."
        return f"250 2.6.0 OK, {'forwarded' if done.is_forwarded else done.outcome}"

    async def handle_exception(self, error: Exception) -> str:
        """Whatever we cannot do now may be possible later; nobody outside reads why."""
        logger.error("A mail could not be taken.", exc_info=error)
        return "451 4.3.0 Something went wrong here. Try again later."


class _Smtp(SMTP):
    """aiosmtpd's server with lines of any length, limits on connections, and without AUTH."""

    line_length_limit = 65_536
    source = "SMTP"

    def __init__(self, listener: Listener) -> None:
        super().__init__(
            _Handler(listener),
            data_size_limit=MAX_MAIL_OCTETS,
            enable_SMTPUTF8=True,
            hostname=listener.hostname,
            ident="bounces",
            tls_context=listener.tls,
            timeout=TIMEOUT_SECONDS,
            loop=asyncio.get_running_loop(),
        )
        self.command_size_limits = defaultdict(lambda: self.command_size_limit)
        self.refusals = 0
        self._listener = listener

    @property
    def is_under_way(self) -> bool:
        """A mail is being taken."""
        return self.envelope is not None and bool(self.envelope.rcpt_tos)

    async def hang_up(self, reason: str) -> None:
        """Say why and close the connection."""
        if self.transport is not None and not self.transport.is_closing():
            self._writer.write(reason.encode() + b"\r\n")
            self._writer.close()

    async def push(self, status: Any) -> None:
        """As aiosmtpd's; nothing follows what we said when we hung up."""
        if self.transport is not None and not self.transport.is_closing():
            await super().push(status)

    async def _handle_client(self) -> None:
        listener = self._listener
        peer = str(self.session.peer[0]) if self.session and self.session.peer else ""
        if len(listener.open) >= MAX_CONNECTIONS or listener.peers[peer] >= MAX_CONNECTIONS_OF_ONE:
            await self.hang_up("421 4.7.0 Too many connections. Try again later.")
            return
        listener.open.add(self)
        listener.peers[peer] += 1
        try:
            await super()._handle_client()
        finally:
            listener.open.discard(self)
            listener.peers[peer] -= 1

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        """Nobody logs in here."""
        await self.push("502 5.5.1 AUTH is not offered.")

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        """Take a mail; what is too long is read past."""
        if await self.check_helo_needed():
            return
        if self.envelope is None or not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 Send RCPT first.")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        content, octets = await read_content(self._reader, MAX_OCTETS)
        if octets > MAX_MAIL_OCTETS:
            answer = f"552 5.3.4 A mail has at most {MAX_MAIL_OCTETS} octets."
        else:
            self.envelope.content = content
            answer = await self._call_handler_hook("DATA")
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self.push(answer)


class _Lmtp(_Smtp, LMTP):
    """The same with LHLO. There is one recipient, hence one answer."""

    source = "LMTP"
