"""The steps of a conversation with an SMTP server, and what its dialects share: preparing mails, hearing replies."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias, TypeVar

from deliveries.mail import Mail
from deliveries.sending.smtp import commands
from deliveries.sending.smtp.commands import BadAddress, Extensions
from deliveries.sending.smtp.replies import CLOSING, START_INPUT, ProtocolViolation, Reply, Stage


class Leaving(Enum):
    """What of a mail leaves: its announcement, its content behind that, or both in one flight."""

    MAIL = ("mail",)
    CONTENT = ("content",)
    BOTH = ("mail", "content")


@dataclass(frozen=True, slots=True)
class May:
    """Ask whether this of a mail may leave now, and send true or false into the generator. What was asked for leaves at
    once or not at all; what leaves behind the content of another mail is not asked for."""

    mail: Mail
    leaving: Leaving


@dataclass(frozen=True, slots=True)
class Write:
    """Send commands. Every reply asked for so far has been read."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """Send a message: `content` piece by piece, then `rest`, whose first octets complete the message; what follows them
    is ahead.

    Without any octet of `rest` the server cannot have the message.
    """

    mail: Mail
    content: tuple[bytes, ...]
    rest: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """Wait for one reply and send it into the generator.

    `known` is what the mail under way has been answered already: its outcome, should the connection end here.
    """

    stage: Stage
    known: Reply | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mail. The conversation goes on only when the outcome has been taken care of."""

    mail: Mail
    reply: Reply


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the connection without a word: it cannot carry another message."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a conversation leaves to the next one on its connection.

    `owed` is said before the next MAIL; `proven`: the server has taken a message.
    """

    owed: bytes = b""
    proven: bool = False


class ServerClosing(Exception):
    """The server ends the session (421) or cannot go on, and mails are left that nothing was handed over of.

    `mail` is the one that `reply` answers, where that is not its outcome.
    """

    def __init__(self, reply: Reply, mail: Mail | None = None) -> None:
        super().__init__(str(reply))
        self.reply = reply
        self.mail = mail


_READ: Final = {stage: Read(stage) for stage in Stage}

Step: TypeAlias = May | Write | Body | Read | Outcome | HangUp
Answer: TypeAlias = Reply | bool | None
T = TypeVar("T")
Conversation: TypeAlias = Generator[Step, Answer, T]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mail as the bytes that will be written. `content` is for DATA (dot-stuffed) or, with its command, for BDAT; its
    pieces are one behind the other."""

    mail: Mail
    mail_from: bytes
    rcpt_to: bytes
    content: tuple[bytes, ...]


def speaks_bdat(server: Extensions) -> bool:
    """Whether the conversation uses BDAT (see chunks.py) instead of DATA."""
    return server.pipelining and server.chunking


def prepare(mail: Mail, server: Extensions) -> Prepared | Reply:
    """The mail as bytes for this server, or the reason (stage LOCAL) why this server cannot be asked to take it.

    Raises ValueError for data with bare CR or LF.
    """
    octets = mail.octets
    first, *files = mail.pieces if mail.is_transparent else (mail.data,)
    if speaks_bdat(server):
        written = commands.chunk(first, is_transparent=mail.is_transparent, behind=octets - len(first))
    else:
        written = commands.body(first, is_transparent=mail.is_transparent)
    content = (written, *files)
    smtputf8 = mail.smtputf8 or not (mail.sender.isascii() and mail.recipient.isascii())
    if smtputf8 and not server.smtputf8:
        return _local(553, "5.6.7 The address or headers need SMTPUTF8, which the SMTP server does not offer.")
    if mail.eight_bit and not server.eight_bit:
        return _local(554, "5.6.3 The message holds 8-bit text, which the SMTP server does not accept (8BITMIME).")
    if server.size is not None and octets > server.size:
        return _local(552, f"5.3.4 The message has {octets} octets; the SMTP server accepts {server.size}.")
    if commands.has_overlong_line(commands.looked_at(first, is_transparent=mail.is_transparent)):
        return _local(554, f"5.6.0 The message has a line of more than {commands.MAX_LINE_OCTETS} octets.")
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


def next_deliverable(mails: Iterator[Mail], server: Extensions) -> Conversation[Prepared | None]:
    """The next mail this server can be asked to take; the others get their outcome without touching the wire."""
    for mail in mails:
        prepared = prepare(mail, server)
        if isinstance(prepared, Prepared):
            return prepared
        yield Outcome(mail, prepared)
    return None


def hear(stage: Stage, mail: Mail) -> Conversation[Reply]:
    """The reply to a command that announces `mail`; ServerClosing when it is 421."""
    reply = yield from ask(stage)
    if reply.code == CLOSING:
        raise ServerClosing(reply, mail)
    check(reply, positive=300 if stage is Stage.DATA else 200)
    return reply


def hear_reset() -> Conversation[None]:
    """RSET has one answer only (RFC 5321 section 4.1.1.5)."""
    reply = yield from ask(Stage.RESET)
    if reply.code == CLOSING:
        raise ServerClosing(reply)
    if not 200 <= reply.code < 300:
        raise ProtocolViolation(f"The server refused RSET: {reply}.")


def ask(stage: Stage, known: Reply | None = None) -> Conversation[Reply]:
    """The next reply, whatever it says; `known` as in Read."""
    reply = yield _READ[stage] if known is None else Read(stage, known)
    if not isinstance(reply, Reply):
        raise TypeError("A Read step must be answered with a Reply.")
    return reply


def check(reply: Reply, *, positive: int) -> None:
    """An answer must be a refusal or the positive class the command has (RFC 5321 section 4.3.2)."""
    right = reply.code == START_INPUT if positive == 300 else positive <= reply.code < positive + 100
    if not right and reply.code < 400:
        raise ProtocolViolation(f"The server answered {reply.stage} with {reply}, which is no answer to it.")
