"""The sending loop: claim a part, render and transmit its messages, record what became of them, give the part back.

What must hold (docs/architecture.md, "Crash reasoning"): the hand-over and the outcome of each message are appended to
this process's journal file before the next message's body leaves, so a killed worker leaves at most the message on the
wire in doubt. Outcomes reach PostgreSQL in bulk; the journal is emptied only after that commit.
"""

import logging
import os
import socket
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from campaign.lib.clock import now
from deliveries.mail import Mail
from deliveries.models import Level, Message, Part
from deliveries.moves import write_journal
from deliveries.rendering.merge import MessageError
from deliveries.sending import outcomes, parts
from deliveries.sending.journal import Journal
from deliveries.sending.outcomes import Outcome
from deliveries.sending.recovery import recover_dead_holders
from deliveries.sending.routes import NoRoute, connection_for, forget_connection
from deliveries.sending.rows import pending_rows, renderer
from deliveries.sending.transport import ConnectionLost, RouteUnavailable
from deliveries.states import MessageState

logger = logging.getLogger(__name__)

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
        self.journal = Journal(self.journals / f"{self.holder}.journal")

    def work(self, until: datetime) -> bool:
        """Send part after part until ``until``; returns whether there may be more to do."""
        recover_dead_holders(self.journals)
        while now() < until:
            if not self.step():
                return False
        return True

    def step(self) -> bool:
        """Claim and send one part; returns whether there was one."""
        claim = parts.claim(self.holder, now())
        if claim is None:
            return False
        if claim.former_holder:
            self._take_over(claim)
        self._send(claim.part)
        return True

    def close(self) -> None:
        """Remove the journal of a worker that ends in order."""
        self.journal.close()

    def _take_over(self, claim: parts.Claim) -> None:
        """A lease ended: whatever that holder had handed over without recording it is in doubt."""
        part = claim.part
        pending = Message.objects.filter(pk__range=(part.first_id, part.last_id), state=MessageState.PENDING)
        at = now()
        lost = [
            Outcome(pk, MessageState.IN_DOUBT, outcomes.HOST_LOST, at) for pk in pending.values_list("pk", flat=True)
        ]
        outcomes.record(lost, [part.pk])
        write_journal(
            part.delivery_id,
            f"Worker {claim.former_holder} is gone without its journal: {len(lost):,} messages are in doubt.",
            level=Level.ERROR,
        )

    def _send(self, part: Part) -> None:
        not_before = None
        try:
            connection = connection_for(part.delivery)
            batch = _Batch(self, part)
            for mail, reply in connection.send(self._mails(part, batch)):
                batch.add(outcomes.of_reply(mail.id, reply, now()))
                if batch.is_due() and not batch.flush():
                    break
        except (RouteUnavailable, NoRoute) as error:
            not_before = now() + ROUTE_PAUSE
            self._note(part, str(error))
        except ConnectionLost as lost:
            forget_connection(part.delivery)
            if lost.mail is not None:
                batch.add(outcomes.in_doubt(lost.mail.id, now()))
            self._note(part, str(lost))
        finally:
            batch.flush()
            parts.give_back(part, self.holder, not_before=not_before)

    def _mails(self, part: Part, batch: "_Batch") -> Iterator[Mail]:
        for content_id, row in pending_rows(part):
            try:
                mail = renderer(content_id).mail(row)
            except MessageError as error:
                batch.add(outcomes.not_made(row.id, str(error), now()))
                continue
            self.journal.handing_over(mail.id)
            yield mail

    def _note(self, part: Part, sentence: str) -> None:
        """Tell people once, not once a part."""
        if part.delivery.state_note == sentence:
            return
        type(part.delivery).objects.filter(pk=part.delivery_id).update(state_note=sentence[:500])
        write_journal(part.delivery_id, sentence, level=Level.WARNING)


class _Batch:
    """Outcomes of one part that PostgreSQL does not know yet."""

    def __init__(self, worker: Worker, part: Part) -> None:
        self.worker = worker
        self.part = part
        self.outcomes: list[Outcome] = []
        self.since = now()

    def add(self, outcome: Outcome) -> None:
        """Journal an outcome now, record it with the next flush."""
        self.worker.journal.outcome(outcome.message_id, outcome.state, outcome.reply)
        self.outcomes.append(outcome)

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
