"""From Redis to the log: hits are judged and written many at a time.

An entry is taken out of the stream only after its event is committed. Whoever dies in between leaves it there, and it
is written again: its key is in it, so the log has it once. Two that flush at the same time do no harm for the same
reason; a lock keeps them from doing the work twice.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

import redis
from django.db import connection, transaction

from campaign.lib.clock import now
from deliveries.models import Delivery, Message
from deliveries.models.message import NUMBER_BITS
from deliveries.states import MessageState
from tracking.buffer import LINE, LOST, STREAM, WRITTEN
from tracking.hit import Hit
from tracking.machines import Judge, Verdict, cut_off
from tracking.models import Event, EventLoss, Origin, is_anonymous
from tracking.user_agents import rows_of

logger = logging.getLogger(__name__)

BATCH = 5_000

Entry = tuple[bytes, dict[bytes, bytes]]


def flush(client: redis.Redis) -> int:
    """Write everything that waits; returns how many events were written.

    Raises what Redis or the database raise; nothing is lost then, the next one goes on.
    """
    written, judge = 0, None
    while entries := cast("list[Entry]", client.xrange(STREAM, count=BATCH)):
        judge = judge or Judge.current()
        with transaction.atomic():
            if not _alone():
                break
            written += _write(entries, judge)
        with client.pipeline(transaction=True) as pipeline:
            pipeline.xdel(STREAM, *[key for key, _ in entries])
            pipeline.set(WRITTEN, entries[-1][0])
            pipeline.execute()
    return written


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('tracking'), 0)")
        return bool(cursor.fetchone()[0])


def _write(entries: Iterable[Entry], judge: Judge) -> int:
    hits: dict[int, Hit] = {}
    for _, fields in entries:
        if lost := fields.get(LOST.encode()):
            _note_loss(lost.decode())
        elif (hit := _read(fields.get(LINE.encode(), b""))) is not None:
            hits[hit.id] = hit
    known = set(Event.objects.filter(pk__in=hits).values_list("pk", flat=True))
    fresh = [hit for key, hit in hits.items() if key not in known]
    return len(record(fresh, judge))


def record(hits: list[Hit], judge: Judge) -> list[Event]:
    """Judge and insert hits that are not in the log (inside a transaction); their order does not matter."""
    if not hits:
        return []
    agents = rows_of(hit.user_agent for hit in hits)
    sent = _messages(hits)
    trials = set(
        Delivery.objects.filter(pk__in={hit.message_id >> NUMBER_BITS for hit in hits})
        .exclude(proof_of=None)
        .values_list("pk", flat=True)
    )
    events = []
    for hit in hits:
        message = sent.get(hit.message_id)
        agent = agents[hit.user_agent]
        if hit.message_id >> NUMBER_BITS in trials or (message and message.is_seed):
            verdict = Verdict(Origin.TRIAL)
        else:
            seconds, archive = (message.seconds_until(hit.at), message.archive_id) if message else (None, None)
            verdict = judge.judge(hit, agent, seconds, archive)
        events.append(
            Event(
                id=hit.id,
                message_id=hit.message_id,
                content_id=hit.content_id,
                at=hit.at,
                user_agent=agent,
                link=hit.link,
                kind=hit.kind,
                origin=verdict.origin,
                rule_id=verdict.rule_id,
                network=None if is_anonymous(hit.message_id) else cut_off(hit.address),
            )
        )
    Event.objects.bulk_create(events, ignore_conflicts=True)
    return events


class _Sent:
    """What judging needs to know of a message."""

    def __init__(self, state: int, processed_at: datetime | None, seed_id: int | None, archive_id: int | None) -> None:
        self.state = state
        self.archive_id = archive_id
        self.processed_at = processed_at
        self.is_seed = seed_id is not None

    def seconds_until(self, at: datetime) -> float | None:
        """From sending to ``at``. A message whose sending is not on record yet is under way: none at all."""
        if self.processed_at is not None:
            return (at - self.processed_at).total_seconds()
        return 0.0 if self.state == MessageState.PENDING else None


def _messages(hits: Iterable[Hit]) -> dict[int, _Sent]:
    ids = {hit.message_id for hit in hits if not is_anonymous(hit.message_id)}
    rows = Message.objects.filter(pk__in=ids)
    values = rows.values_list("pk", "state", "processed_at", "seed_id", "copy__archive_id")
    return {pk: _Sent(state, processed_at, seed, archive) for pk, state, processed_at, seed, archive in values}


def _read(line: bytes) -> Hit | None:
    try:
        return Hit.from_line(line.decode())
    except (ValueError, TypeError):
        logger.error("An entry of the stream %s cannot be read and is left out: %r", STREAM, line[:200])
        return None


def _note_loss(text: str) -> None:
    key, _, count = text.partition(" ")
    values: dict[str, Any] = {"at": now(), "count": int(count), "reason": "Redis was away or full"}
    EventLoss.objects.get_or_create(pk=int(key), defaults=values)
