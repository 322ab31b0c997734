"""Outcomes: from a server's reply to the delivery log, many at a time."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from campaign.lib.sql import statements
from deliveries.models import Delivery, InDoubtPolicy, Message
from deliveries.models.message import NUMBER_BITS
from deliveries.sending import parts
from deliveries.sending.retry import next_attempt
from deliveries.sending.smtp.replies import Reply, Stage
from deliveries.sending.throttle import is_throttling
from deliveries.sending.verdict import FailureType, Reason, Verdict, qualify
from deliveries.signals import judged_again, recorded
from deliveries.states import DeliveryState, MessageState, sources

UNDER_WAY = (DeliveryState.IN_PROGRESS, DeliveryState.PAUSED)

SQL = statements(Path(__file__).parent / "sql")

_RETURNING = tuple(state for state in sources(MessageState.FAILED) if state is not MessageState.PENDING)

NO_ANSWER = (
    "The connection broke before the server confirmed. The message may have arrived; it is not sent again by itself."
)
TESTED = "Test only, nothing was sent. The server would take it: "
NOT_MADE = "The message could not be made: "
CLOSED = "In doubt; a person closed it as sent."
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
    rule: str = ""
    """Name of the rule that judged the refusal; empty where codes alone did."""
    blames_address: bool = False
    """The refusal counts against the address; one that only says *too much at once* does not."""
    may_change: bool = False
    """Another attempt may end otherwise."""
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """A message that had left came back."""

    message_id: int
    verdict: Verdict
    words: str
    at: datetime


def of_reply(message_id: int, reply: Reply, at: datetime) -> Outcome:
    """The outcome of a server's reply: an accepted message is sent, any other failed, with its qualification.

    An address that was accepted without a content was offered for a test.
    """
    if reply.accepted:
        return Outcome(message_id, MessageState.SENT, str(reply), at)
    if reply.stage is Stage.RCPT and reply.code < 300:
        return Outcome(message_id, MessageState.CANCELLED, f"{TESTED}{reply}", at)
    verdict = qualify(reply)
    words = reply.text if reply.stage is Stage.LOCAL else str(reply)  # nobody shall think the server said it
    final = verdict.type is FailureType.HARD or (reply.stage is Stage.LOCAL and reply.code >= 500)
    return Outcome(
        message_id,
        MessageState.FAILED,
        words,
        at,
        verdict.type,
        verdict.reason,
        verdict.rule,
        blames_address=verdict.type is not FailureType.IGNORED and not is_throttling(reply),
        may_change=not final,
    )


def in_doubt(message_id: int, sentence: str, at: datetime) -> Outcome:
    """Handed over, answer unknown."""
    return Outcome(message_id, MessageState.IN_DOUBT, sentence, at)


def not_made(sentence: str) -> Reply:
    """The reply that stands for a message which cannot be made from its values; nothing left the house."""
    return Reply(554, f"{NOT_MADE}{sentence}", Stage.LOCAL)


def record(outcomes: Sequence[Outcome], part_ids: Iterable[int] = ()) -> None:
    """Write outcomes to the log and bring the counters of their parts along, in one transaction.

    ``part_ids`` are the parts that hold the messages; left out, they are looked up. Recording again changes nothing.
    The signal :data:`deliveries.signals.recorded` is sent in the same transaction.
    """
    if not outcomes:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        outcomes = sorted(_with_retries(outcomes), key=lambda outcome: outcome.message_id)
        states = {outcome.state for outcome in outcomes}
        if len(states) > 1:
            # One statement for each state: together they must not lock the rows in another order than bounces do.
            cursor.execute(SQL["lock_messages"], {"ids": [outcome.message_id for outcome in outcomes]})
        for state in states:
            _record_state(cursor, [outcome for outcome in outcomes if outcome.state is state], state)
        if accepted := [outcome.message_id for outcome in outcomes if outcome.state is MessageState.SENT]:
            cursor.execute(
                SQL["note_copies"],
                {"ids": accepted, "sent": MessageState.SENT.value, "now": max(outcome.at for outcome in outcomes)},
            )
        touched = list(part_ids) or parts.of_messages([outcome.message_id for outcome in outcomes])
        if any(outcome.state is MessageState.PENDING for outcome in outcomes):
            parts.reopen(touched)
        parts.count(touched)
        recorded.send_robust(sender=None, outcomes=outcomes)


def returned(failures: Sequence[Returned]) -> dict[int, str]:
    """Messages that had left came back: their rows and the counters of their parts say so. A message that is still
    tried, failed already or never left stays as it is; of several failures of one, the first counts.

    Returns what the rows of those said that had failed before, by message id.
    """
    first = {failure.message_id: failure for failure in reversed(failures)}
    if not first:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            SQL["record_returned"],
            {
                "ids": list(first),
                "types": [failure.verdict.type.value for failure in first.values()],
                "reasons": [failure.verdict.reason.value for failure in first.values()],
                "words": [failure.words for failure in first.values()],
                "times": [failure.at for failure in first.values()],
                "from": [state.value for state in _RETURNING],
                "sent": MessageState.SENT.value,
                "in_doubt": MessageState.IN_DOUBT.value,
                "failed": MessageState.FAILED.value,
            },
        )
        return dict(cursor.fetchall())


def judge_again(message_ids: Sequence[int], verdict: Verdict) -> None:
    """Give those of these messages that failed another failure type and reason."""
    Message.objects.filter(pk__in=message_ids, state=MessageState.FAILED).update(
        failure_type=verdict.type, reason=verdict.reason
    )
    judged_again.send(sender=None, delivery_ids={message_id >> NUMBER_BITS for message_id in message_ids})


def _with_retries(outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """The outcomes, those that their delivery tries again turned into *pending* with the time of the next attempt."""
    open_ended = [outcome for outcome in outcomes if outcome.may_change or outcome.state is MessageState.IN_DOUBT]
    if not open_ended:
        return outcomes
    # Locked as by a worker that gives a part back: nothing may become pending in a delivery that has just finished.
    running = {
        delivery.pk: delivery
        for delivery in Delivery.objects.select_for_update().filter(
            pk__in={outcome.message_id >> NUMBER_BITS for outcome in open_ended}, state__in=UNDER_WAY
        )
    }
    ids = [outcome.message_id for outcome in open_ended]
    known = Message.objects.filter(pk__in=ids).exclude(state=MessageState.CANCELLED)  # those get no other attempt
    attempts = dict(known.values_list("pk", "attempts"))
    return [_with_retry(outcome, running.get(outcome.message_id >> NUMBER_BITS), attempts) for outcome in outcomes]


def _with_retry(outcome: Outcome, delivery: Delivery | None, attempts: Mapping[int, int]) -> Outcome:
    resends = delivery is not None and delivery.in_doubt_policy == InDoubtPolicy.RESEND
    wanted = outcome.may_change or (outcome.state is MessageState.IN_DOUBT and resends)
    if delivery is None or not wanted or outcome.message_id not in attempts:
        return outcome
    retry_at = next_attempt(
        outcome.message_id,
        attempts=attempts[outcome.message_id] + 1,
        retries=delivery.max_retries,
        period=delivery.retry_period,
        failed_at=outcome.at,
        valid_until=delivery.valid_until,
    )
    return replace(outcome, state=MessageState.PENDING, retry_at=retry_at) if retry_at else outcome


def _record_state(cursor: CursorWrapper, outcomes: Sequence[Outcome], state: MessageState) -> None:
    cursor.execute(
        SQL["record_outcomes"],
        {
            "outcomes": json.dumps([_as_row(outcome) for outcome in outcomes]),
            "state": state.value,
            "failed": state in (MessageState.PENDING, MessageState.FAILED),
            "from": [source.value for source in _from(state)],
        },
    )


def _as_row(outcome: Outcome) -> dict[str, int | str | None]:
    """The columns of an outcome in JSON: writing a batch as arrays of SQL takes seven times as long."""
    return {
        "id": outcome.message_id,
        "failure_type": outcome.failure_type,
        "reason": outcome.reason,
        "reply": outcome.reply,
        "at": outcome.at.isoformat(),
        "retry_at": outcome.retry_at.isoformat() if outcome.retry_at else None,
    }


def _from(state: MessageState) -> set[MessageState]:
    """States that an answer in the dialogue may change to ``state``. A bounce may turn *sent* into *failed*, a person
    *failed* into *pending*; an answer does neither, but it may leave a message pending for the next attempt. One
    that was cancelled while it was on the wire is what the wire says."""
    if state is MessageState.PENDING:
        return {MessageState.PENDING, MessageState.IN_DOUBT}
    return set(sources(state)) - {MessageState.SENT}
