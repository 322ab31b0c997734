"""After a worker died: read its journal, record what it knew, put its parts back."""

import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.db import transaction

from campaign.lib.clock import now
from deliveries.models import Level, Part
from deliveries.moves import write_journal
from deliveries.sending import outcomes, parts
from deliveries.sending.journal import Journal, JournalDamaged, Replay
from deliveries.sending.outcomes import Outcome
from deliveries.states import PartState

logger = logging.getLogger(__name__)

SUFFIX = ".journal"

DIED = "Worker {holder} ended unexpectedly; what it had sent is recorded and the rest goes on."
STARTED_OVER = "Worker {holder} met an error and starts over; what it had sent is recorded and the rest goes on."
LOST = "Worker {holder} is gone without its journal: {count:,} messages are in doubt."


def recover_dead_holders(journals: Path) -> None:
    """Recover every holder of this host whose process is gone (the kernel has freed the lock on its journal)."""
    for path in sorted(journals.glob(f"*{SUFFIX}")):
        _recover_if_dead(path)


def settle_overdue_parts(journals: Path) -> None:
    """Take from their holders the parts whose lease has ended.

    A holder of this host that is alive, only slow, keeps its own with a new lease. What a dead one did is in its
    journal. Where the journal is out of reach (another host that is gone), all that is pending may have left: it is in
    doubt and never sent again by itself.
    """
    for holder in parts.overdue(now()).values_list("holder", flat=True).distinct():
        path = journals / f"{holder}{SUFFIX}"
        if _recover_if_dead(path):
            continue
        if path.exists():
            parts.overdue(now()).filter(holder=holder).update(lease_until=now() + parts.LEASE)
        else:
            _doubt(holder)


def recover(holder: str, path: Path, sentence: str = DIED) -> None:
    """Record what the journal at ``path`` says and give the holder's parts back. Doing it again changes nothing.

    A damaged journal is put aside, and everything its holder held is in doubt.
    """
    try:
        known = list(_known(Journal.replay(path), now()))
    except JournalDamaged as error:
        logger.error("%s", error)
        known = list(_everything_held_in_doubt(holder))
        path.replace(path.with_suffix(".damaged"))
    outcomes.record(known)
    for part in _held_by(holder):
        parts.give_back(part, holder)
        write_journal(part.delivery_id, sentence.format(holder=holder), level=Level.WARNING)


def _recover_if_dead(path: Path) -> bool:
    """Whether the journal's writer was gone and has now been recovered."""
    with Journal.take_over(path) as gone:
        if gone:
            recover(path.name.removesuffix(SUFFIX), path)
            path.unlink(missing_ok=True)
        return gone


@transaction.atomic
def _doubt(holder: str) -> None:
    """Nobody on this host knows what the holder did; whoever settles it at the same time finds nothing left."""
    for part in parts.overdue(now()).filter(holder=holder).select_for_update():
        lost = list(_in_doubt(part))
        outcomes.record(lost, [part.pk])
        parts.give_back(part, holder, tried=len(lost))
        write_journal(part.delivery_id, LOST.format(holder=holder, count=len(lost)), level=Level.ERROR)


def _in_doubt(part: Part) -> Iterator[Outcome]:
    for message_id in parts.pending(part).values_list("pk", flat=True):
        yield outcomes.in_doubt(message_id, outcomes.HOLDER_LOST, now())


def _known(replay: Replay, at: datetime) -> Iterator[Outcome]:
    for message_id, reply in replay.outcomes:
        if reply is None:
            yield outcomes.in_doubt(message_id, outcomes.NO_ANSWER, at)
        else:
            yield outcomes.of_reply(message_id, reply, at)
    for message_id in replay.in_doubt:
        yield outcomes.in_doubt(message_id, outcomes.HOLDER_LOST, at)


def _everything_held_in_doubt(holder: str) -> Iterator[Outcome]:
    for part in _held_by(holder):
        yield from _in_doubt(part)


def _held_by(holder: str) -> list[Part]:
    return list(Part.objects.filter(holder=holder, state=PartState.CLAIMED))
