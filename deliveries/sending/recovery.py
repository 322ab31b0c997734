"""After a worker died: read its journal, record what it knew, put its parts back."""

import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from campaign.lib.clock import now
from deliveries.models import Level, Part
from deliveries.moves import write_journal
from deliveries.sending import outcomes, parts
from deliveries.sending.journal import Journal, JournalDamaged, Replay
from deliveries.sending.outcomes import Outcome
from deliveries.states import PartState

logger = logging.getLogger(__name__)

SUFFIX = ".journal"


def recover_dead_holders(journals: Path) -> None:
    """Recover every holder of this host whose process is gone (the kernel has freed the lock on its journal)."""
    for path in sorted(journals.glob(f"*{SUFFIX}")):
        with Journal.take_over(path) as taken:
            if taken:
                recover(path.name.removesuffix(SUFFIX), path)
                path.unlink()


def recover(holder: str, path: Path) -> None:
    """Record what the journal at ``path`` says and give the holder's parts back. Doing it again changes nothing."""
    try:
        known = list(_known(Journal.replay(path), now()))
    except JournalDamaged as error:
        logger.error("%s", error)
        known = list(_everything_held_in_doubt(holder))
        path.replace(path.with_suffix(".damaged"))
        path.touch()
    outcomes.record(known)
    held = Part.objects.filter(holder=holder, state=PartState.CLAIMED)
    for part in held:
        parts.give_back(part, holder)
        write_journal(
            part.delivery_id,
            f"Worker {holder} ended unexpectedly; what it had sent is recorded and the rest goes on.",
            level=Level.WARNING,
        )


def in_doubt_of(part: Part) -> list[Outcome]:
    """Every pending message of a part whose holder is gone with its journal: none is sent again by itself."""
    at = now()
    return [outcomes.in_doubt(pk, outcomes.HOLDER_LOST, at) for pk in parts.pending(part).values_list("pk", flat=True)]


def _known(replay: Replay, at: datetime) -> Iterator[Outcome]:
    for message_id, reply in replay.outcomes:
        if reply is None:
            yield outcomes.in_doubt(message_id, outcomes.NO_ANSWER, at)
        else:
            yield outcomes.of_reply(message_id, reply, at)
    for message_id in replay.in_doubt:
        yield outcomes.in_doubt(message_id, outcomes.HOLDER_LOST, at)


def _everything_held_in_doubt(holder: str) -> Iterator[Outcome]:
    for part in Part.objects.filter(holder=holder, state=PartState.CLAIMED):
        yield from in_doubt_of(part)
