"""The sending loop: claim a part, render and transmit its messages, record what became of them, give the part back.

What must hold (docs/architecture.md, "Crash reasoning"): the hand-over and the outcome of each message are appended to
this process's journal file before the next message's content leaves, so a killed worker leaves at most the message on
the wire in doubt. Outcomes reach PostgreSQL in bulk; the journal is emptied only after that commit.
"""

import os
import socket
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from campaign.lib.clock import now
from campaign.lib.sealing import SealBroken
from deliveries.mail import Mail
from deliveries.models import Delivery, Level, Part
from deliveries.moves import write_journal
from deliveries.rendering.merge import MessageError
from deliveries.rows import pending_rows, renderer
from deliveries.sending import outcomes, parts
from deliveries.sending.journal import Journal
from deliveries.sending.outcomes import Outcome
from deliveries.sending.recovery import SUFFIX, in_doubt_of, recover, recover_dead_holders
from deliveries.sending.routes import NoRoute, close_connections, connection_for
from deliveries.sending.smtp.replies import Reply
from deliveries.sending.transport import ConnectionLost, RouteUnavailable

FLUSH_MESSAGES = 100
FLUSH_AFTER = timedelta(seconds=0.5)
"""Outcomes go to PostgreSQL after so many messages or so much time; pause and stop are noticed then."""

ROUTE_PAUSE = timedelta(seconds=15)
"""How long a part rests when its route cannot be reached."""


class Worker:
    """One sending process: a holder's name, its journal, and one step at a time."""

    def __init__(self, journals: Path | None = None) -> None:
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.journals = journals or Path(settings.VAR_DIR) / "journals"
        self.path = self.journals / f"{self.holder}{SUFFIX}"
        self.journal = Journal(self.path)

    def work(self, until: datetime) -> bool:
        """Send part after part until ``until``; returns whether there may be more to do."""
        recover_dead_holders(self.journals)
        self._recover()
        while now() < until:
            if not self.step():
                return False
        return True

    def step(self) -> bool:
        """Claim and send one part; returns whether there was one."""
        claim = parts.claim(self.holder, now())
        if claim is None:
            return False
        if claim.former_holder and not self._take_over(claim):
            return True
        try:
            self._send(claim.part)
        except Exception:
            self._recover()
            raise
        return True

    def close(self) -> None:
        """End in order: take leave of the servers and remove the journal, which is empty."""
        close_connections()
        if self.journal.is_empty:
            self.path.unlink(missing_ok=True)
        self.journal.close()

    def _recover(self) -> None:
        """Record what this worker knows and PostgreSQL does not, and give its part back."""
        recover(self.holder, self.path)
        self.journal.restart()

    def _take_over(self, claim: parts.Claim) -> bool:
        """Whether this worker may go on with a part whose lease ended."""
        former = self.journals / f"{claim.former_holder}{SUFFIX}"
        with Journal.take_over(former) as gone:
            if gone:
                recover(claim.former_holder, former)
                former.unlink()
                return True
            if former.exists():  # alive on this host and slow: the part stays its own
                parts.leave_to(claim.part, claim.former_holder, now())
                return False
        self._doubt(claim)
        return True

    def _doubt(self, claim: parts.Claim) -> None:
        """The holder's journal is out of reach, on another host: what it may have handed over is in doubt."""
        lost = in_doubt_of(claim.part)
        outcomes.record(lost, [claim.part.pk])
        write_journal(
            claim.part.delivery_id,
            f"Worker {claim.former_holder} is gone without its journal: {len(lost):,} messages are in doubt.",
            level=Level.ERROR,
        )

    def _send(self, part: Part) -> None:
        batch = _Batch(self, part)
        not_before = None
        try:
            connection = connection_for(part.delivery)
            for mail, reply in connection.send(self._mails(part, batch), self._handing_over):
                batch.add(mail.id, reply)
        except (RouteUnavailable, NoRoute, SealBroken) as error:
            not_before = now() + ROUTE_PAUSE
            _note(part, str(error))
        except ConnectionLost as lost:
            if lost.mail is not None:
                batch.add(lost.mail.id, None)
            if lost.taken_back is not None:
                self.journal.taken_back(lost.taken_back.id)
            _note(part, lost.sentence)
        batch.flush()
        parts.give_back(part, self.holder, not_before=not_before)

    def _mails(self, part: Part, batch: "_Batch") -> Iterator[Mail]:
        """The part's mails, until it ends or somebody pauses or stops the delivery."""
        for content_id, row in pending_rows(part):
            if batch.is_due() and not batch.flush():
                return
            try:
                yield renderer(content_id).mail(row)
            except MessageError as error:
                batch.add(row.id, outcomes.not_made(str(error)))

    def _handing_over(self, mail: Mail) -> None:
        self.journal.handing_over(mail.id)


class _Batch:
    """Outcomes of one part that PostgreSQL does not know yet."""

    def __init__(self, worker: Worker, part: Part) -> None:
        self.worker = worker
        self.part = part
        self.outcomes: list[Outcome] = []
        self.since = now()

    def add(self, message_id: int, reply: Reply | None) -> None:
        """Journal an outcome now, record it with the next flush. ``None`` is an answer that never came."""
        self.worker.journal.outcome(message_id, reply)
        at = now()
        self.outcomes.append(
            outcomes.of_reply(message_id, reply, at)
            if reply is not None
            else outcomes.in_doubt(message_id, outcomes.NO_ANSWER, at)
        )

    def is_due(self) -> bool:
        """Enough has come together."""
        return len(self.outcomes) >= FLUSH_MESSAGES or now() - self.since >= FLUSH_AFTER

    def flush(self) -> bool:
        """Record, renew the lease, and say whether to go on."""
        outcomes.record(self.outcomes, [self.part.pk])
        self.worker.journal.clear()
        self.outcomes = []
        self.since = now()
        return parts.renew(self.part, self.worker.holder, now())


def _note(part: Part, sentence: str) -> None:
    """Tell people once, not once a part."""
    told = Delivery.objects.filter(pk=part.delivery_id).exclude(state_note=sentence[:500])
    if told.update(state_note=sentence[:500]):
        write_journal(part.delivery_id, sentence, level=Level.WARNING)
