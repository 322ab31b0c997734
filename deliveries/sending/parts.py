"""Parts: claimed by one worker, kept by a lease, given back or done."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Count, F, Min, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from campaign.lib.sql import statements
from deliveries.models import Delivery, Message, Part
from deliveries.models.message import MessageQuerySet
from deliveries.moves import move, write_journal
from deliveries.states import DeliveryState, MessageState, MoveRefused, PartState

SQL = statements(Path(__file__).parent / "sql")

LEASE = timedelta(seconds=60)
UNHELD = (PartState.READY, PartState.WAITING)
HEAD_START = 1_000
"""Messages: so many more than others of its priority a delivery gets that begins or goes on; a part's where that is
larger."""
CANCELLED_AT_ONCE = 20
"""Parts in one transaction: some thousand messages, a fraction of a second."""


def claim(holder: str, now: datetime, *, without: Sequence[int] = (), looked_at: Sequence[int] = ()) -> Part | None:
    """Take the next open part of a running delivery, or ``None`` when there is nothing to do.

    ``without`` are ids of deliveries to pass over, ``looked_at`` those of which only parts count that nobody had yet.
    """
    passed_over = list(without)
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                SQL["claim_part"],
                {
                    "in_progress": DeliveryState.IN_PROGRESS.value,
                    "ready": PartState.READY.value,
                    "claimed": PartState.CLAIMED.value,
                    "done": PartState.DONE.value,
                    "holder": holder,
                    "now": now,
                    "lease_until": now + LEASE,
                    "head_start": HEAD_START,
                    "without": passed_over,
                    "looked_at": list(looked_at),
                },
            )
            row = cursor.fetchone()
        if row is None:
            return None
        delivery_id, part_id = row
        if part_id is not None:
            return Part.objects.select_related("delivery").get(pk=part_id)
        passed_over.append(delivery_id)


def overdue(now: datetime) -> QuerySet[Part]:
    """Parts whose holder has not renewed its lease in time, of deliveries in any state."""
    return Part.objects.filter(state=PartState.CLAIMED, lease_until__lt=now)


def renew(
    part: Part, holder: str, now: datetime, *, without: Sequence[int] = (), looked_at: Sequence[int] = ()
) -> bool:
    """Prolong the lease and say whether to go on: not when the part was lost or recalled, the delivery no longer runs,
    its time is over, or a delivery of higher priority waits (with a part that :func:`claim` would give)."""
    with connection.cursor() as cursor:
        cursor.execute(
            SQL["renew_lease"],
            {
                "part": part.pk,
                "holder": holder,
                "now": now,
                "lease_until": now + LEASE,
                "in_progress": DeliveryState.IN_PROGRESS.value,
                "ready": PartState.READY.value,
                "claimed": PartState.CLAIMED.value,
                "done": PartState.DONE.value,
                "without": list(without),
                "looked_at": list(looked_at),
            },
        )
        return bool(cursor.fetchone()[0])


def renew_all(holders: Sequence[str], now: datetime) -> None:
    """Prolong every lease of these holders, which are alive."""
    Part.objects.filter(holder__in=holders, state=PartState.CLAIMED).update(lease_until=now + LEASE)


def give_back(part: Part, holder: str, *, tried: int = 0, not_before: datetime | None = None) -> None:
    """End a claim: the part is done when nothing in it is pending, else open again (from ``not_before`` on).

    ``tried`` are the messages that got an outcome since ``part`` was read, be it that they are tried again, and those
    that its holder might have sent meanwhile: all others that had none then are taken off what its delivery was handed
    out, as the claim had put them on.
    """
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().get(pk=part.delivery_id)
        if delivery.current_state is DeliveryState.STOPPED or _is_over(delivery):
            _cancel(part)
        left = pending(part).aggregate(number=Count("pk"), retry_at=Min(Coalesce("retry_at", Value(timezone.now()))))
        state = PartState.READY if left["number"] else PartState.DONE
        not_before = max(filter(None, (not_before, left["retry_at"])), default=None)
        given_back = Part.objects.filter(pk=part.pk, holder=holder, state=PartState.CLAIMED).update(
            state=state, holder="", lease_until=None, not_before=not_before
        )
        if given_back and (untouched := part.without_outcome - tried):
            Delivery.objects.filter(pk=delivery.pk).update(handed_out=F("handed_out") - untouched)
        if state is PartState.DONE:
            _finish_when_done(delivery)


def finish_deliveries() -> None:
    """Finish the running deliveries whose parts are all done; one that was paused at its end is found here."""
    running = Delivery.objects.filter(state=DeliveryState.IN_PROGRESS)
    for delivery in running.exclude(parts__state__lt=PartState.DONE):
        with transaction.atomic():
            _finish_when_done(delivery)


def unheld_of(deliveries: QuerySet[Delivery]) -> list[int]:
    """Those of the deliveries that have open parts which nobody holds."""
    unheld = Part.objects.filter(state__lt=PartState.DONE, state__in=UNHELD, delivery__in=deliveries)
    return list(unheld.values_list("delivery_id", flat=True).distinct())


def cancel_unheld(delivery_id: int) -> tuple[int, int]:
    """Cancel what is pending in the next :data:`CANCELLED_AT_ONCE` parts of a delivery that no worker holds (a holder
    does it for its own when it gives them back); returns how many parts, and how many messages."""
    with connection.cursor() as cursor:
        cursor.execute(
            SQL["cancel_unheld"],
            {
                "delivery": delivery_id,
                "unheld": [state.value for state in UNHELD],
                "most": CANCELLED_AT_ONCE,
                "pending": MessageState.PENDING.value,
                "cancelled": MessageState.CANCELLED.value,
                "done": PartState.DONE.value,
                "now": timezone.now(),
            },
        )
        closed, cancelled = cursor.fetchone()
    return closed, cancelled


def reopen(part_ids: Iterable[int]) -> None:
    """Open parts again that were done, because a message in them is pending again."""
    Part.objects.filter(pk__in=part_ids, state=PartState.DONE).update(state=PartState.READY)


def reopen_parts_with_pending(delivery_id: int) -> None:
    """Open again the done parts in which messages are pending, and count them afresh."""
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        count(list(Part.objects.filter(delivery_id=delivery_id).values_list("pk", flat=True)))
        cursor.execute(
            SQL["reopen_pending"],
            {
                "delivery": delivery_id,
                "done": PartState.DONE.value,
                "ready": PartState.READY.value,
                "pending": MessageState.PENDING.value,
            },
        )


def held_back(message_ids: Sequence[int]) -> None:
    """These messages are not pending any more: whoever holds their part reads it again within half a second, and a part
    in which nothing is left is done."""
    with connection.cursor() as cursor:
        cursor.execute(
            SQL["parts_held_back"],
            {
                "parts": of_messages(message_ids),
                "claimed": PartState.CLAIMED.value,
                "open": [PartState.READY.value, PartState.WAITING.value],
                "done": PartState.DONE.value,
                "pending": MessageState.PENDING.value,
            },
        )


def of_messages(message_ids: Sequence[int]) -> list[int]:
    """The parts that hold these messages."""
    with connection.cursor() as cursor:
        cursor.execute(SQL["parts_of_messages"], {"ids": list(message_ids)})
        return [row[0] for row in cursor.fetchall()]


def count(part_ids: list[int]) -> None:
    """Bring the counters of these parts in line with the log; others may move them by differences at the same time."""
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(SQL["lock_parts"], {"parts": part_ids})
        cursor.execute(
            SQL["count_parts"],
            {
                "parts": part_ids,
                "sent": MessageState.SENT.value,
                "failed": MessageState.FAILED.value,
                "in_doubt": MessageState.IN_DOUBT.value,
            },
        )


def work_is_open(now: datetime) -> bool:
    """A part could be claimed now, or a lease has ended."""
    ready = Part.objects.filter(
        delivery__state=DeliveryState.IN_PROGRESS, state__lt=PartState.DONE, state=PartState.READY
    )
    resting = Q(not_before__gt=now) | Q(delivery__rests_until__gt=now) | Q(delivery__valid_until__lte=now)
    return ready.exclude(resting).exists() or overdue(now).exists()


def pending(part: Part) -> MessageQuerySet:
    return Message.objects.filter(pk__range=(part.first_id, part.last_id), state=MessageState.PENDING)


def _cancel(part: Part) -> int:
    return pending(part).update(state=MessageState.CANCELLED, processed_at=timezone.now(), retry_at=None)


def _is_over(delivery: Delivery) -> bool:
    return delivery.valid_until is not None and delivery.valid_until <= timezone.now()


def _summary(delivery_id: int) -> str:
    """Messages by outcome, for people."""
    sums = Part.objects.filter(delivery_id=delivery_id).aggregate(*map(Sum, ("size", "sent", "failed", "in_doubt")))
    rest = sums["size__sum"] - sums["sent__sum"] - sums["failed__sum"] - sums["in_doubt__sum"]
    numbers = {"failed": sums["failed__sum"], "in doubt": sums["in_doubt__sum"], "cancelled": rest}
    return ", ".join(
        [f"{sums['sent__sum']:,} sent", *(f"{count:,} {name}" for name, count in numbers.items() if count)]
    )


def _finish_when_done(delivery: Delivery) -> None:
    if delivery.current_state is not DeliveryState.IN_PROGRESS:
        return
    if Part.objects.filter(delivery_id=delivery.pk, state__lt=PartState.DONE).exists():
        return
    try:
        move(delivery, DeliveryState.FINISHED, finished_at=timezone.now())
    except MoveRefused:  # paused or stopped at this very moment: whoever did it decides
        return
    write_journal(delivery.pk, f"Delivery finished: {_summary(delivery.pk)}.")
