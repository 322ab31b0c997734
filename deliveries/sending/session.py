"""One dialogue with a server: smtplib opens it (handshake.py), then the transaction is ours on the socket
(smtp/pipeline.py says which steps)."""

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from deliveries.mail import Mail
from deliveries.sending import shutdown
from deliveries.sending.handshake import RouteAddress, RouteUnavailable, Timeouts, open_session
from deliveries.sending.smtp import commands
from deliveries.sending.smtp.commands import Extensions
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


class Session:
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
