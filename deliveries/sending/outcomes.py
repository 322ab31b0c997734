"""Outcomes: from a server's reply to the delivery log, many at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from campaign.lib.sql import statements
from deliveries.mail import Reply
from deliveries.sending import parts
from deliveries.sending.verdict import FailureType, Reason, qualify
from deliveries.states import MessageState, sources

SQL = statements("deliveries.sending")

NO_ANSWER = "The connection broke before the server confirmed. The message may have arrived; it is not sent again by itself."
HOST_LOST = "The worker that held this message is gone with its host. The message may have left; it is not sent again by itself."


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
    """The outcome of a server's reply: 2xx is sent, anything else failed with its qualification."""
    words = f"{reply.code} {reply.text}"
    if 200 <= reply.code < 300:
        return Outcome(message_id, MessageState.SENT, words, at)
    verdict = qualify(reply)
    return Outcome(message_id, MessageState.FAILED, words, at, verdict.type, verdict.reason)


def in_doubt(message_id: int, at: datetime) -> Outcome:
    """Handed to the server, answer unknown."""
    return Outcome(message_id, MessageState.IN_DOUBT, NO_ANSWER, at)


def not_made(message_id: int, sentence: str, at: datetime) -> Outcome:
    """The message could not be made from its values; nothing left the house."""
    return Outcome(message_id, MessageState.FAILED, sentence, at, FailureType.HARD, Reason.NOT_DEFINED)


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


def _record_state(cursor: object, outcomes: Sequence[Outcome], state: MessageState) -> None:
    cursor.execute(  # type: ignore[attr-defined]
        SQL["record_outcomes"],
        {
            "ids": [outcome.message_id for outcome in outcomes],
            "states": [state.value] * len(outcomes),
            "types": [outcome.failure_type for outcome in outcomes],
            "reasons": [outcome.reason for outcome in outcomes],
            "replies": [outcome.reply for outcome in outcomes],
            "times": [outcome.at for outcome in outcomes],
            "from": [source.value for source in sources(state) if source is not MessageState.SENT],
        },
    )


def _parts_of(cursor: object, message_ids: Sequence[int]) -> list[int]:
    cursor.execute(SQL["parts_of_messages"], {"ids": list(message_ids)})  # type: ignore[attr-defined]
    return [row[0] for row in cursor.fetchall()]  # type: ignore[attr-defined]
