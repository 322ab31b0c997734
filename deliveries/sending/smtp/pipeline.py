"""The conversation with an SMTP server over many messages, told as steps that a transport carries out.

With PIPELINING (RFC 2920) the next message's MAIL, RCPT and DATA leave together with this message's end of data, so
a message costs one round trip. The next message's *body* waits: it is a step after this message's Outcome.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from deliveries.mail import Mail
from deliveries.sending.smtp import commands
from deliveries.sending.smtp.commands import BadAddress, Extensions
from deliveries.sending.smtp.replies import CLOSING, START_INPUT, ProtocolViolation, Reply, Stage


@dataclass(frozen=True, slots=True)
class Write:
    """Send commands. Every reply asked for so far has been read."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """Send a message's content: `content`, then from octet len(content) on the final dot and what may follow it."""

    mail: Mail
    content: bytes
    rest: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """Wait for one reply and send it into the generator."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mail. The conversation goes on only when the outcome has been taken care of."""

    mail: Mail
    reply: Reply


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the connection without a word: it cannot carry another message."""


class ServerClosing(Exception):
    """The server ends the session (421) or cannot go on, and mails are left that nothing was handed over of."""


Step: TypeAlias = Write | Body | Read | Outcome | HangUp
T = TypeVar("T")
Conversation: TypeAlias = Generator[Step, Reply | None, T]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mail as the commands and the content that will be written."""

    mail: Mail
    mail_from: bytes
    rcpt_to: bytes
    content: bytes

    @property
    def envelope(self) -> bytes:
        return self.mail_from + self.rcpt_to + commands.DATA


@dataclass(frozen=True, slots=True)
class Mending:
    """What must be said, after a refusal, before the next MAIL is valid."""

    command: bytes = b""
    stage: Stage = Stage.RESET
    possible: bool = True


NOTHING = Mending()
RESET = Mending(commands.RSET)
# RFC 2920 section 3.1: DATA may be answered 354 though no recipient was accepted; the client ends it with a dot alone.
EMPTY_CONTENT = Mending(commands.END_OF_DATA, Stage.END_OF_DATA)
# MAIL refused, but RCPT and DATA accepted: a dot alone could deliver an empty message, so nothing may be said.
IMPOSSIBLE = Mending(possible=False)


def converse(mails: Iterator[Mail], server: Extensions) -> Conversation[None]:
    """The steps that hand over `mails`, one Outcome for each.

    Raises ServerClosing and ProtocolViolation; mails without an Outcome were not handed over, except the one whose
    Body step was the last before a ProtocolViolation.
    """
    mending = NOTHING
    announced = False
    current = yield from _next_deliverable(mails, server)
    while current is not None:
        if server.pipelining:
            refusal, mending = yield from _announce_at_once(current, mending, announced=announced)
        else:
            refusal, mending = yield from _announce_stepwise(current, mending)
        announced = False
        if refusal is None:
            following = yield from _next_deliverable(mails, server)
            announced = server.pipelining and following is not None
            ahead = following.envelope if following is not None and announced else b""
            yield Body(current.mail, current.content, commands.END_OF_DATA + ahead)
            reply = yield from _ask(Stage.END_OF_DATA)
            _check(reply, positive=200)
            if reply.code == CLOSING:
                yield HangUp()
            yield Outcome(current.mail, reply)
        else:
            reply = refusal
            if not mending.possible:
                yield HangUp()
            yield Outcome(current.mail, reply)
            following = yield from _next_deliverable(mails, server)
        if reply.code == CLOSING or not mending.possible:
            if following is not None:
                raise ServerClosing(str(reply))
            return
        current = following
    try:
        yield from _mend(mending)
    except ServerClosing:
        yield HangUp()


def prepare(mail: Mail, server: Extensions) -> Prepared | Reply:
    """The mail as bytes for this server, or the reason (stage LOCAL) why this server cannot be asked to take it.

    Raises ValueError for data with bare CR or LF.
    """
    content = commands.body(mail.data, is_transparent=mail.is_transparent)
    octets = len(mail.data)
    smtputf8 = mail.smtputf8 or not (mail.sender.isascii() and mail.recipient.isascii())
    if smtputf8 and not server.smtputf8:
        return _local(553, "5.6.7 The address or headers need SMTPUTF8, which the SMTP server does not offer.")
    if mail.eight_bit and not server.eight_bit:
        return _local(554, "5.6.3 The message holds 8-bit text, which the SMTP server does not accept (8BITMIME).")
    if server.size is not None and octets > server.size:
        return _local(552, f"5.3.4 The message has {octets} octets; the SMTP server accepts {server.size}.")
    try:
        mail_from = commands.mail_from(
            mail.sender, octets, server, eight_bit=mail.eight_bit, smtputf8=smtputf8, envelope_id=mail.envelope_id
        )
    except BadAddress as error:
        return _local(553, f"5.1.7 {error}")
    try:
        return Prepared(mail, mail_from, commands.rcpt_to(mail.recipient, server), content)
    except BadAddress as error:
        return _local(553, f"5.1.3 {error}")


def _local(code: int, text: str) -> Reply:
    return Reply(code, text, Stage.LOCAL)


def _next_deliverable(mails: Iterator[Mail], server: Extensions) -> Conversation[Prepared | None]:
    """The next mail this server can be asked to take; the others get their outcome without touching the wire."""
    for mail in mails:
        prepared = prepare(mail, server)
        if isinstance(prepared, Prepared):
            return prepared
        yield Outcome(mail, prepared)
    return None


def _announce_at_once(
    current: Prepared, mending: Mending, *, announced: bool
) -> Conversation[tuple[Reply | None, Mending]]:
    """MAIL, RCPT and DATA in one write, unless they left already; the refusal and its mending, or None."""
    if not announced:
        yield Write(mending.command + current.envelope)
        if mending.command:
            yield from _hear_mending(mending)
    mail = yield from _hear(Stage.MAIL)
    rcpt = yield from _hear(Stage.RCPT)
    data = yield from _hear(Stage.DATA)
    refusal = next((reply for reply in (mail, rcpt, data) if reply.code >= 400), None)
    if refusal is None:
        return None, NOTHING
    if data.code >= 400:
        return refusal, RESET
    return refusal, EMPTY_CONTENT if rcpt.code >= 400 else IMPOSSIBLE


def _announce_stepwise(current: Prepared, mending: Mending) -> Conversation[tuple[Reply | None, Mending]]:
    """MAIL, RCPT and DATA, each after the reply to the one before; the refusal and its mending, or None."""
    yield from _mend(mending)
    steps = (
        (Stage.MAIL, current.mail_from, NOTHING),
        (Stage.RCPT, current.rcpt_to, RESET),
        (Stage.DATA, commands.DATA, RESET),
    )
    for stage, command, after_refusal in steps:
        yield Write(command)
        reply = yield from _hear(stage)
        if reply.code >= 400:
            return reply, after_refusal
    return None, NOTHING


def _mend(mending: Mending) -> Conversation[None]:
    if mending.command:
        yield Write(mending.command)
        yield from _hear_mending(mending)


def _hear_mending(mending: Mending) -> Conversation[None]:
    """A content for nobody may be answered in any way; RSET has one answer only (RFC 5321 section 4.1.1.5)."""
    reply = yield from _ask(mending.stage)
    if reply.code == CLOSING:
        raise ServerClosing(str(reply))
    if mending.stage is Stage.RESET and not 200 <= reply.code < 300:
        raise ProtocolViolation(f"The server refused RSET: {reply}.")


def _hear(stage: Stage) -> Conversation[Reply]:
    """The reply to a command before the content; ServerClosing when it is 421."""
    reply = yield from _ask(stage)
    if reply.code == CLOSING:
        raise ServerClosing(str(reply))
    _check(reply, positive=300 if stage is Stage.DATA else 200)
    return reply


def _ask(stage: Stage) -> Conversation[Reply]:
    reply = yield Read(stage)
    if reply is None:
        raise TypeError("A Read step must be answered with a Reply.")
    return reply


def _check(reply: Reply, *, positive: int) -> None:
    """An answer must be a refusal or the positive class the command has (RFC 5321 section 4.3.2)."""
    right = reply.code == START_INPUT if positive == 300 else positive <= reply.code < positive + 100
    if not right and reply.code < 400:
        raise ProtocolViolation(f"The server answered {reply.stage} with {reply}, which is no answer to it.")
