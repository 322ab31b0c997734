"""The conversation of a test: every address is offered and taken back with RSET, no content leaves."""

from collections.abc import Iterator

from deliveries.mail import Mail
from deliveries.sending.smtp import commands
from deliveries.sending.smtp.commands import Extensions
from deliveries.sending.smtp.replies import Stage
from deliveries.sending.smtp.steps import (
    Conversation,
    Leaving,
    May,
    Outcome,
    Standing,
    Write,
    hear,
    hear_reset,
    next_deliverable,
)


def probe(mails: Iterator[Mail], server: Extensions, standing: Standing) -> Conversation[Standing]:
    """The steps that offer `mails`, one Outcome for each that may be announced: the refusal of MAIL or RCPT, or the
    answer to RCPT.

    Raises what `pipeline.converse` does; no mail is ever handed over.
    """
    if standing.owed:
        yield Write(standing.owed)
        yield from hear_reset()
    while (current := (yield from next_deliverable(mails, server))) is not None:
        if not (yield May(current.mail, Leaving.MAIL)):
            continue
        if server.pipelining:
            yield Write(current.mail_from + current.rcpt_to + commands.RSET)
            sender = yield from hear(Stage.MAIL, current.mail)
            recipient = yield from hear(Stage.RCPT, current.mail)
        else:
            yield Write(current.mail_from)
            sender = recipient = yield from hear(Stage.MAIL, current.mail)
            if sender.code < 400:
                yield Write(current.rcpt_to)
                recipient = yield from hear(Stage.RCPT, current.mail)
            yield Write(commands.RSET)
        yield from hear_reset()
        yield Outcome(current.mail, sender if sender.code >= 400 else recipient)
    return Standing(proven=standing.proven)
