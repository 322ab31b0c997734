"""A kept connection: smtplib opens it (handshake.py), then the transaction is ours on the socket (smtp/pipeline.py)."""

import select
import socket
import ssl
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import Final, Self

from deliveries.mail import Mail
from deliveries.sending import shutdown
from deliveries.sending.handshake import RouteAddress, RouteUnavailable, Security, Timeouts, open_session
from deliveries.sending.smtp import commands
from deliveries.sending.smtp.commands import Extensions
from deliveries.sending.smtp.pipeline import converse
from deliveries.sending.smtp.probe import probe
from deliveries.sending.smtp.replies import ProtocolViolation, Reply, ReplyReader, Stage
from deliveries.sending.smtp.steps import (
    Answer,
    Body,
    Conversation,
    HangUp,
    Leaving,
    May,
    Outcome,
    Read,
    ServerClosing,
    Standing,
    Write,
    speaks_bdat,
)

__all__ = ["Connection", "ConnectionLost", "RouteAddress", "RouteUnavailable", "Security", "Timeouts"]

_READ_OCTETS: Final = 65_536
# Linux takes no more in one call (IOV_MAX).
_PIECES_AT_ONCE: Final = 1_024
# Saying good-bye must not hold up a worker that is stopping.
_QUIT_SECONDS: Final = 2.0


class ConnectionLost(Exception):
    """The connection ended early. `mail` is the one mail in doubt, or None; every other mail without an outcome is
    untouched. `taken_back` is the mail whose content broke off before its end, or left in vain (the server closed the
    session with an answer to MAIL or RCPT): untouched as well. `refused` is the mail at whose announcement the server
    closed the session with 421, and `reply` what it said."""

    def __init__(
        self, mail: Mail | None, sentence: str, taken_back: Mail | None = None, closing: ServerClosing | None = None
    ) -> None:
        super().__init__(sentence)
        self.mail = mail
        self.sentence = sentence
        self.taken_back = taken_back
        self.refused = closing.mail if closing is not None else None
        self.reply = closing.reply if closing is not None else None


def _at_once(mail: Mail, leaving: Leaving) -> bool:
    """For callers that need no record of what is being handed over, and keep to no rate."""
    return True


class Connection:
    """One connection to a route at a time, opened when first needed, kept between batches. Not for several threads."""

    def __init__(self, route: RouteAddress) -> None:
        self._route = route
        self._session: _Session | None = None
        self._waited = 0.0

    @property
    def route(self) -> RouteAddress:
        """Where it leads."""
        return self._route

    def open(self) -> None:
        """Connect unless a usable connection is kept. Raises RouteUnavailable."""
        self._kept_or_new()

    def send(
        self,
        mails: Iterable[Mail],
        may_leave: Callable[[Mail, Leaving], bool] = _at_once,
        meanwhile: Callable[[], bool] | None = None,
        *,
        is_test: bool = False,
    ) -> Generator[tuple[Mail, Reply], None, None]:
        """Hand over the mails; the outcome of each as soon as it is known.

        A mail's content leaves only when the outcomes before it have been consumed, and right after `may_leave(mail,
        leaving)` allowed it; so does its announcement where it does not leave behind the content of the mail before.
        What may not leave is passed over, together with what was made behind it. While the server is busy with one,
        `meanwhile` is called until it says that nothing is left to do; without it the next of `mails` is read then. A
        mail that this server cannot be asked to take is answered (stage LOCAL) before the mail that is under way. To
        stop early, end `mails`: closing this iterator drops the connection, and a mail whose outcome was not yielded is
        then untouched.

        With `is_test` nothing is handed over: each address is offered and taken back, and what the server said is the
        outcome.

        Raises RouteUnavailable and ConnectionLost, ValueError for data with bare CR or LF, and what `mails` and
        `may_leave` raise. The Connection can be used again after each of them.
        """
        waiting = _MadeAhead(mails)
        for first in waiting:
            session = self._kept_or_new()
            mails_now = chain((first,), waiting)
            room = session.room
            finished = False
            try:
                yield from session.hand_over(
                    mails_now if room is None else islice(mails_now, room),
                    may_leave,
                    meanwhile or waiting.make_next,
                    probe if is_test else converse,
                )
                finished = session.usable
            finally:
                if not finished:
                    self._drop()
            if session.room == 0:
                self.close()

    def close(self) -> None:
        """Take leave of the server with QUIT, where it still listens."""
        if self._session is not None:
            self._session.quit()
            self._drop()

    @property
    def first_leaving(self) -> Leaving:
        """What of the first mail of a batch leaves first, as far as one can tell before."""
        return Leaving.BOTH if self._session is not None and self._session.sends_at_once else Leaving.MAIL

    @property
    def waited(self) -> float:
        """Seconds spent waiting for the server's answers until now."""
        return self._waited + (self._session.waited if self._session else 0.0)

    def _kept_or_new(self) -> "_Session":
        if self._session is not None and not self._session.idle:
            self._drop()
        if self._session is None:
            self._session = _Session(self._route)
        return self._session

    def _drop(self) -> None:
        if self._session is not None:
            self._session.drop()
            self._waited += self._session.waited
            self._session = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class _MadeAhead:
    """The mails in their order, one of them made before it is asked for."""

    def __init__(self, mails: Iterable[Mail]) -> None:
        self._mails = iter(mails)
        self._next: Mail | None = None
        self._problem: Exception | None = None

    def make_next(self) -> bool:
        """Make the next mail now; nothing is left to do then. What goes wrong is raised when the mail is asked for."""
        if self._next is None and self._problem is None:
            try:
                self._next = next(self._mails, None)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is raised again where it belongs
                self._problem = error
        return False

    def __iter__(self) -> Iterator[Mail]:
        return self

    def __next__(self) -> Mail:
        self.make_next()
        if self._problem is not None:
            raise self._problem
        if self._next is None:
            raise StopIteration
        mail, self._next = self._next, None
        return mail


class _Session:
    """One socket from EHLO to its end."""

    def __init__(self, route: RouteAddress) -> None:
        self._route = route
        self._smtp = open_session(route)
        if self._smtp.sock is None:
            raise RouteUnavailable(f"{route.server} closed the connection. Try again.")
        self._socket: socket.socket = self._smtp.sock
        # The next message's commands must not wait for the acknowledgement of this one's end (Nagle).
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._server = Extensions.from_features(self._smtp.esmtp_features)
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._replies = ReplyReader()
        self._standing = Standing()
        self._handed_over = 0
        self.usable = True
        self.waited = 0.0

    @property
    def room(self) -> int | None:
        """How many more messages the route allows on this connection; None without a limit."""
        limit = self._route.messages_per_connection
        return max(limit - self._handed_over, 0) if limit else None

    @property
    def idle(self) -> bool:
        """The server has said nothing since the last answer. What it says unasked is 421 or the end of the stream."""
        try:
            return self.usable and not self._has_spoken()
        except OSError:
            return False

    @property
    def sends_at_once(self) -> bool:
        """A mail leaves in one flight with its announcement."""
        return self._standing.proven and speaks_bdat(self._server)

    def hand_over(
        self,
        mails: Iterator[Mail],
        may_leave: Callable[[Mail, Leaving], bool],
        meanwhile: Callable[[], bool],
        talk: Callable[[Iterator[Mail], Extensions, Standing], Conversation[Standing]],
    ) -> Iterator[tuple[Mail, Reply]]:
        """Carry out the conversation's steps; `meanwhile` is called while the server is busy with a content, once at
        least, and until it returns false."""
        conversation = talk(mails, self._server, self._standing)
        answer: Answer = None
        under_way: Mail | None = None
        while True:
            try:
                step = conversation.send(answer)
            except StopIteration as end:
                self._standing = end.value
                return
            except ServerClosing as error:
                raise self._lost(None, error, taken_back=under_way) from error
            except ProtocolViolation as error:
                raise self._lost(under_way, error) from error
            answer = None
            if isinstance(step, Outcome):
                if step.mail is under_way:
                    under_way = None
                self._handed_over += 1
                yield step.mail, step.reply
                continue
            if isinstance(step, May):
                answer = may_leave(step.mail, step.leaving)
                continue
            if isinstance(step, Body):
                under_way = step.mail
            try:
                answer = self._carry_out(step)
            except _BrokenOff as broken:
                raise self._lost(None, broken.error, taken_back=under_way) from broken.error
            except (OSError, ProtocolViolation) as error:
                if isinstance(step, Read) and step.known is not None and under_way is not None:
                    yield under_way, step.known
                    under_way = None
                raise self._lost(under_way, error) from error
            if isinstance(step, Body):
                while meanwhile() and not self._poll.poll(0):
                    pass

    def _carry_out(self, step: Write | Body | Read | HangUp) -> Reply | None:
        match step:
            case Read(stage, _):
                return self._read(stage)
            case Body():
                self._write_content(step)
            case Write(data):
                self._expect_silence()
                self._write(data)
            case HangUp():
                self.usable = False
        return None

    def quit(self) -> None:
        """Say QUIT and wait shortly for the answer."""
        if not self.usable:
            return
        with suppress(OSError):
            self._socket.settimeout(_QUIT_SECONDS)
            self._socket.sendall(commands.QUIT)
            self._socket.recv(_READ_OCTETS)

    def drop(self) -> None:
        """Close the socket."""
        self.usable = False
        self._smtp.close()

    def _lost(self, mail: Mail | None, error: Exception, taken_back: Mail | None = None) -> ConnectionLost:
        self.usable = False
        where = f"The connection to the SMTP server {self._route.host}:{self._route.port} was lost"
        why = str(error) or type(error).__name__
        if isinstance(error, TimeoutError):
            why = "the server did not answer in time"
        closing = error if isinstance(error, ServerClosing) else None
        doubt = " after a whole message was sent and before the answer; whether it arrived is unknown" if mail else ""
        return ConnectionLost(mail, f"{where}{doubt} ({why}).", taken_back, closing)

    def _has_spoken(self) -> bool:
        """Something has come that no reply was taken from yet. Raises OSError at the end of the stream."""
        encrypted = self._socket.pending() if isinstance(self._socket, ssl.SSLSocket) else 0
        if encrypted or self._poll.poll(0):
            self._socket.settimeout(0)
            with suppress(BlockingIOError, ssl.SSLWantReadError):  # of TLS, what is no answer
                self._replies.feed(self._receive_some())
        return self._replies.pending

    def _expect_silence(self) -> None:
        """Answers nobody asked for would be taken for the answers to what is written next. Raises OSError as well."""
        if self._has_spoken():
            reply = self._replies.take(Stage.LOCAL)
            raise ProtocolViolation(f"The server spoke without being asked: {reply or 'part of a reply'}.")

    def _write(self, data: bytes) -> None:
        self._socket.settimeout(self._route.timeouts.command)
        self._socket.sendall(data)

    def _write_content(self, step: Body) -> None:
        """Write content, final dot and what follows. Raises _BrokenOff when not even the dot left."""
        try:
            self._expect_silence()
        except (ProtocolViolation, OSError) as error:
            raise _BrokenOff(error) from error
        self._socket.settimeout(self._route.timeouts.content)
        # A failed write to a TLS socket does not say how many of its records left. So the dot has a write of its own.
        encrypted = isinstance(self._socket, ssl.SSLSocket)
        written = 0
        try:
            if not encrypted:
                written = self._socket.sendmsg((*step.content, step.rest)[:_PIECES_AT_ONCE])
            for view in _views(step, behind=written):
                while view:
                    octets = self._socket.send(view)
                    written += octets
                    view = view[octets:]
        except OSError as error:
            if self._refused_early():
                return
            octets_of_content = sum(map(len, step.content))
            if written < octets_of_content or (written == octets_of_content and not encrypted):
                raise _BrokenOff(error) from error
            raise

    def _refused_early(self) -> bool:
        """A server that will not read on may have said why before it closed: that refusal is the message's outcome."""
        with suppress(OSError):
            self._socket.settimeout(1.0)
            self._replies.feed(self._socket.recv(_READ_OCTETS))
        self.usable = False
        return self._replies.refusing

    def _read(self, stage: Stage) -> Reply:
        """Wait for the next reply. Raises OSError (TimeoutError after the command's time, NoMorePatience when this
        process ends), ProtocolViolation."""
        if (reply := self._replies.take(stage)) is not None:
            return reply
        asked = time.monotonic()
        deadline = asked + _seconds(self._route.timeouts, stage)
        while reply is None:
            self._replies.feed(self._receive(deadline))
            reply = self._replies.take(stage)
        self.waited += time.monotonic() - asked
        return reply

    def _receive(self, deadline: float) -> bytes:
        """What the server says next. One octet at a time must not stretch a wait beyond the deadline."""
        while (seconds := deadline - time.monotonic()) > 0:
            self._socket.settimeout(min(seconds, shutdown.patience()))
            with suppress(TimeoutError):
                return self._receive_some()
        raise TimeoutError

    def _receive_some(self) -> bytes:
        if not (data := self._socket.recv(_READ_OCTETS)):
            raise ConnectionResetError("the server closed it")
        return data


def _views(step: Body, *, behind: int) -> Iterator[memoryview]:
    """What of the content, and then of the rest, comes behind so many octets."""
    for piece in (*step.content, step.rest):
        yield memoryview(piece)[behind:]
        behind = max(behind - len(piece), 0)


class _BrokenOff(Exception):
    """Writing a content failed before its final dot."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def _seconds(timeouts: Timeouts, stage: Stage) -> float:
    match stage:
        case Stage.DATA:
            return timeouts.data
        case Stage.END_OF_DATA:
            return timeouts.end_of_data
        case _:
            return timeouts.command
