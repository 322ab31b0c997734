"""The conversation with an SMTP server that takes BDAT (RFC 3030 section 2) and PIPELINING.

As with DATA, the next message's MAIL and RCPT leave behind this message's content, and its own *content* waits for this
message's Outcome and for the answers to its MAIL and RCPT, which come with the same round trip. Where nothing could be
announced (the first message of a batch, the one after a refusal), MAIL, RCPT, BDAT and content leave together: one
round trip, where DATA takes two.

Measured with ``python -m benchmarks.transport --delay-ms 50 --batch N``: single messages go twice as fast as with DATA
(18 instead of 9.5 per second and connection), batches of ten a tenth faster, long ones alike; without latency no slower
(``--delay-ms 0``). So BDAT is used wherever PIPELINING is offered with it. The price: when the connection ends without
a word before MAIL and RCPT are answered, a message that left together with them is in doubt; one that was announced is
untouched. So nothing leaves together before this connection has taken a message: a relay that hangs up at each MAIL
would otherwise put one message in doubt with each attempt.
"""

from collections.abc import Iterator
from typing import Final

from deliveries.mail import Mail
from deliveries.sending.smtp import commands
from deliveries.sending.smtp.commands import Extensions
from deliveries.sending.smtp.replies import CLOSING, ProtocolViolation, Reply, Stage
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
)

_CRLF_OCTETS: Final = 2


def converse_in_chunks(mails: Iterator[Mail], server: Extensions, standing: Standing) -> Conversation[Standing]:
    """The steps that hand over `mails`, one Outcome for each that may leave. Takes, gives and raises what
    `pipeline.converse` does; when the content of an announced mail may not leave, RSET takes that back.

    After a refusal the server's state is indeterminate until RSET (RFC 3030 section 2), and what was answered to a
    next MAIL and RCPT says nothing: they are announced again behind RSET, with the content.
    """
    reset, proven = standing.owed, standing.proven
    announced = False
    current = yield from next_deliverable(mails, server)
    while current is not None:
        if not announced and not proven:
            if not (yield May(current.mail, Leaving.MAIL)):
                current = yield from next_deliverable(mails, server)
                continue
            yield Write(reset + current.mail_from + current.rcpt_to)
            if reset:
                yield from hear_reset()
            announced = True
        refusal = (yield from _hear_announced(current.mail)) if announced else None
        if refusal is not None:
            yield Outcome(current.mail, refusal)
            following = yield from next_deliverable(mails, server)
            reset, announced = commands.RSET, False
            current = following
            continue
        following = yield from next_deliverable(mails, server)
        if not (yield May(current.mail, Leaving.CONTENT if announced else Leaving.BOTH)):
            if announced:
                return (yield from _take_back(proven=proven))
            current = following
            continue
        opening = b"" if announced else reset + current.mail_from + current.rcpt_to
        ahead = following.mail_from + following.rcpt_to if following is not None else b""
        yield _body(current, opening, ahead)
        if not announced and reset:
            yield from hear_reset()
        reply, closing = (yield from _hear_end()) if announced else (yield from _hear_flight(current.mail))
        if closing:
            yield HangUp()
        yield Outcome(current.mail, reply)
        if closing:
            if following is not None:
                raise ServerClosing(reply)
            return Standing()
        announced = following is not None
        reset = b""
        if reply.accepted:
            proven = True
        else:
            if announced:
                yield from _pass_over_announced()
            reset, announced = commands.RSET, False
        current = following
    return Standing(reset, proven)


def _body(current: Prepared, opening: bytes, ahead: bytes) -> Body:
    """The last line's end belongs to `rest`: without it the server lacks octets that BDAT promised."""
    *others, last = current.content
    pieces = (*others, last[:-_CRLF_OCTETS])
    return Body(current.mail, (opening + pieces[0], *pieces[1:]), last[-_CRLF_OCTETS:] + ahead)


def _take_back(*, proven: bool) -> Conversation[Standing]:
    """RSET after an announcement; the connection is as good as before."""
    yield Write(commands.RSET)
    try:
        yield from hear_reset()
    except ServerClosing:
        yield HangUp()
        return Standing()
    return Standing(proven=proven)


def _hear_announced(announced: Mail) -> Conversation[Reply | None]:
    """The refusal of MAIL or RCPT, or None."""
    mail = yield from hear(Stage.MAIL, announced)
    rcpt = yield from hear(Stage.RCPT, announced)
    return next((reply for reply in (mail, rcpt) if reply.code >= 400), None)


def _pass_over_announced() -> Conversation[None]:
    """The answers to a MAIL and RCPT that will be said again."""
    for stage in (Stage.MAIL, Stage.RCPT):
        reply = yield from ask(stage)
        if reply.code == CLOSING:
            raise ServerClosing(reply)


def _hear_end() -> Conversation[tuple[Reply, bool]]:
    """The answer to the content, and whether the server closes."""
    reply = yield from ask(Stage.END_OF_DATA)
    check(reply, positive=200)
    return reply, reply.code == CLOSING


def _hear_flight(left: Mail) -> Conversation[tuple[Reply, bool]]:
    """The outcome of MAIL, RCPT and content that left together, and whether the server closes.

    ServerClosing when it does so before any refusal and before the end: then it has not taken the message.
    """
    refusal: Reply | None = None
    for stage in (Stage.MAIL, Stage.RCPT):
        reply = yield from ask(stage, refusal)
        if reply.code == CLOSING:
            if refusal is None:
                raise ServerClosing(reply, left)
            return refusal, True
        check(reply, positive=200)
        refusal = refusal or (reply if reply.code >= 400 else None)
    end = yield from ask(Stage.END_OF_DATA, refusal)
    check(end, positive=200)
    if refusal is not None and refusal.stage is Stage.MAIL and end.accepted:
        raise ProtocolViolation(f"The server refused MAIL ({refusal}) and took the message all the same ({end}).")
    return refusal or end, end.code == CLOSING
