"""The conversation with an SMTP server over many messages, told as steps that a transport carries out.

With PIPELINING (RFC 2920) the next message's MAIL, RCPT and DATA leave together with this message's end of data, so
a message costs one round trip. The next message's *body* waits: it is a step after this message's Outcome.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from deliveries.mail import Mail
from deliveries.sending.smtp import commands
from deliveries.sending.smtp.chunks import converse_in_chunks
from deliveries.sending.smtp.commands import Extensions
from deliveries.sending.smtp.replies import CLOSING, Reply, Stage
from deliveries.sending.smtp.steps import (
    Body,
    Conversation,
    HangUp,
    Leaving,
    May,
    Outcome,
    Prepared,
    ServerClosing,
    Standing,
    Write,
    ask,
    check,
    hear,
    hear_reset,
    next_deliverable,
    speaks_bdat,
)


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


def converse(mails: Iterator[Mail], server: Extensions, standing: Standing) -> Conversation[Standing]:
    """The steps that hand over `mails`, one Outcome for each that may leave. One that may not be announced is passed
    over; when a content may not leave, that is the end.

    Raises ServerClosing and ProtocolViolation; mails without an Outcome were not handed over, except the one whose
    Body step was the last before a ProtocolViolation. A ServerClosing says of such a mail that the server refused it
    before its content, which left in vain.

    `standing` is what the conversation before on this connection returned, or a new one.
    """
    if speaks_bdat(server):
        return (yield from converse_in_chunks(mails, server, standing))
    mending = NOTHING
    announced = False
    current = yield from next_deliverable(mails, server)
    while current is not None:
        if not announced and not (yield May(current.mail, Leaving.MAIL)):
            current = yield from next_deliverable(mails, server)
            continue
        if server.pipelining:
            refusal, mending = yield from _announce_at_once(current, mending, announced=announced)
        else:
            refusal, mending = yield from _announce_stepwise(current, mending)
        announced = False
        if refusal is None:
            following = yield from next_deliverable(mails, server)
            announced = server.pipelining and following is not None
            ahead = _envelope(following) if following is not None and announced else b""
            if not (yield May(current.mail, Leaving.CONTENT)):
                yield HangUp()  # after 354 whatever is said is content
                return Standing()
            yield Body(current.mail, current.content, commands.END_OF_DATA + ahead)
            reply = yield from ask(Stage.END_OF_DATA)
            check(reply, positive=200)
            if reply.code == CLOSING:
                yield HangUp()
            yield Outcome(current.mail, reply)
        else:
            reply = refusal
            if not mending.possible:
                yield HangUp()
            yield Outcome(current.mail, reply)
            following = yield from next_deliverable(mails, server)
        if reply.code == CLOSING or not mending.possible:
            if following is not None:
                raise ServerClosing(reply)
            return Standing()
        current = following
    try:
        yield from _mend(mending)
    except ServerClosing:
        yield HangUp()
    return Standing()


def _announce_at_once(
    current: Prepared, mending: Mending, *, announced: bool
) -> Conversation[tuple[Reply | None, Mending]]:
    """MAIL, RCPT and DATA in one write, unless they left already; the refusal and its mending, or None."""
    if not announced:
        yield Write(mending.command + _envelope(current))
        if mending.command:
            yield from _hear_mending(mending)
    mail = yield from hear(Stage.MAIL, current.mail)
    rcpt = yield from hear(Stage.RCPT, current.mail)
    data = yield from hear(Stage.DATA, current.mail)
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
        reply = yield from hear(stage, current.mail)
        if reply.code >= 400:
            return reply, after_refusal
    return None, NOTHING


def _envelope(prepared: Prepared) -> bytes:
    return prepared.mail_from + prepared.rcpt_to + commands.DATA


def _mend(mending: Mending) -> Conversation[None]:
    if mending.command:
        yield Write(mending.command)
        yield from _hear_mending(mending)


def _hear_mending(mending: Mending) -> Conversation[None]:
    """A content for nobody may be answered in any way."""
    if mending.stage is Stage.RESET:
        yield from hear_reset()
        return
    reply = yield from ask(mending.stage)
    if reply.code == CLOSING:
        raise ServerClosing(reply)
