"""Outcomes: from a server's reply to the delivery log, many at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from campaign.lib.sql import statements
from deliveries.sending import parts
from deliveries.sending.smtp.replies import Reply, Stage
from deliveries.sending.verdict import FailureType, Reason, qualify
from deliveries.states import MessageState, sources

SQL = statements(Path(__file__).parent / "sql")

NO_ANSWER = (
    "The connection broke before the server confirmed. The message may have arrived; it is not sent again by itself."
)
HOLDER_LOST = "The worker that held this message is gone. The message may have left; it is not sent again by itself."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message."""

    message_id: int
    state: MessageState
    reply: str
    at: datetime
    failure_type: FailureType | None = None
    reason: Reason | None = None


def of_reply(message_id: int, reply: Reply, at: datetime) -> Outcome:
    """The outcome of a server's reply: an accepted message is sent, any other failed, with its qualification."""
    if reply.accepted:
        return Outcome(message_id, MessageState.SENT, str(reply), at)
    verdict = qualify(reply)
    return Outcome(message_id, MessageState.FAILED, str(reply), at, verdict.type, verdict.reason)


def in_doubt(message_id: int, sentence: str, at: datetime) -> Outcome:
    """Handed over, answer unknown."""
    return Outcome(message_id, MessageState.IN_DOUBT, sentence, at)


def not_made(sentence: str) -> Reply:
    """The reply that stands for a message which cannot be made from its values; nothing left the house."""
    return Reply(554, f"The message could not be made: {sentence}", Stage.LOCAL)


def record(outcomes: Sequence[Outcome], part_ids: Iterable[int] = ()) -> None:
    """Write outcomes to the log and bring the counters of their parts along, in one transaction.

    ``part_ids`` are the parts that hold the messages; left out, they are looked up. Recording again changes nothing.
    """
    if not outcomes:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        for state in {outcome.state for outcome in outcomes}:
            _record_state(cursor, [outcome for outcome in outcomes if outcome.state is state], state)
        parts.count(list(part_ids) or _parts_of(cursor, [outcome.message_id for outcome in outcomes]))


def _record_state(cursor: CursorWrapper, outcomes: Sequence[Outcome], state: MessageState) -> None:
    cursor.execute(
        SQL["record_outcomes"],
        {
            "ids": [outcome.message_id for outcome in outcomes],
            "states": [state.value] * len(outcomes),
            "types": [outcome.failure_type for outcome in outcomes],
            "reasons": [outcome.reason for outcome in outcomes],
            "replies": [outcome.reply for outcome in outcomes],
            "times": [outcome.at for outcome in outcomes],
            # A bounce may turn *sent* into *failed*; a reply in the dialogue never comes after *sent*.
            "from": [source.value for source in sources(state) if source is not MessageState.SENT],
        },
    )


def _parts_of(cursor: CursorWrapper, message_ids: Sequence[int]) -> list[int]:
    cursor.execute(SQL["parts_of_messages"], {"ids": list(message_ids)})
    return [row[0] for row in cursor.fetchall()]
