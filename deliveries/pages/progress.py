"""How far deliveries are: sums over their parts, never a count of messages."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Max, Min, Q, Sum

from deliveries.models import Delivery, Message, Part, message_range
from deliveries.models.message import NUMBER_BITS
from deliveries.states import DeliveryState, MessageState, PartState


@dataclass(frozen=True, slots=True)
class Progress:
    """Numbers of messages."""

    to_deliver: int
    sent: int
    failed: int
    in_doubt: int

    @property
    def processed(self) -> int:
        """Messages with an outcome."""
        return self.sent + self.failed + self.in_doubt

    @property
    def good_percent(self) -> int:
        """Share of what was processed that did not fail, rounded down."""
        return 100 * (self.processed - self.failed) // self.processed if self.processed else 100

    @property
    def left(self) -> int:
        """Messages without an outcome."""
        return max(self.to_deliver - self.processed, 0)

    @property
    def percent(self) -> int:
        """Share of messages with an outcome, rounded down, so that 100 means all."""
        return 100 * self.processed // self.to_deliver if self.to_deliver else 0


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a delivery runs, and when it will be through at that pace."""

    rate: float
    """Messages a second."""
    left: timedelta | None
    """Until all messages have an outcome, a second at least; ``None`` when nothing moves, or when the end is that of
    what is held back."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """When what is held back for later may leave: waves, messages that are tried again, and those whose turn a rate
    decides."""

    next_at: datetime | None = None
    last_at: datetime | None = None


def pace(
    progress: Progress, *, since: tuple[int, datetime] | None, started_at: datetime, at: datetime, ahead: Ahead
) -> Pace:
    """The pace since the last look (messages processed then, and when), or since the start."""
    processed, begun = since or (0, started_at)
    seconds = max((at - begun).total_seconds(), 0.001)
    rate = max(progress.processed - processed, 0) / seconds
    if not rate:
        return Pace(rate, None)
    left = timedelta(seconds=math.ceil(progress.left / rate))
    return Pace(rate, left if ahead.last_at is None or ahead.last_at <= at + left else None)


def ahead_of(delivery: Delivery, at: datetime) -> Ahead:
    """What is held back after ``at``."""
    held = Part.objects.filter(delivery=delivery, state=PartState.READY, not_before__gt=at)
    return Ahead(**held.aggregate(next_at=Min("not_before"), last_at=Max("not_before")))


def progress_of(deliveries: Iterable[Delivery]) -> Mapping[int, Progress]:
    """The progress of each delivery, by id, in one query (two with seed addresses)."""
    by_id = {delivery.pk: delivery for delivery in deliveries}
    rows = (
        Part.objects.filter(delivery_id__in=by_id)
        .order_by()
        .values_list("delivery_id")
        .annotate(Sum("sent"), Sum("failed"), Sum("in_doubt"))
    )
    sums = {pk: (sent, failed, in_doubt) for pk, sent, failed, in_doubt in rows}
    seeds = _of_seeds(pk for pk, delivery in by_id.items() if delivery.seeds)
    return {
        pk: Progress(
            delivery.to_deliver or 0,
            *(max(count - seeds[pk, state], 0) for count, state in zip(sums.get(pk, (0, 0, 0)), _STATES, strict=True)),
        )
        for pk, delivery in by_id.items()
    }


_STATES = (MessageState.SENT, MessageState.FAILED, MessageState.IN_DOUBT)


def _of_seeds(delivery_ids: Iterable[int]) -> Counter[tuple[int, int]]:
    """Messages to seed addresses by delivery and state: parts count them, figures do not. An index holds no others."""
    ranges = [Q(pk__range=message_range(delivery_id)) for delivery_id in delivery_ids]
    if not ranges:
        return Counter()
    messages = Message.objects.filter(reduce(or_, ranges), seed__isnull=False)
    return Counter((pk >> NUMBER_BITS, state) for pk, state in messages.values_list("pk", "state"))


def counts(delivery: Delivery, progress: Progress) -> list[tuple[MessageState, int]]:
    """Messages by state, for people: what is left is pending, or cancelled once the delivery has ended."""
    ended = delivery.current_state in {DeliveryState.STOPPED, DeliveryState.FINISHED}
    rest = MessageState.CANCELLED if ended else MessageState.PENDING
    return [
        (MessageState.SENT, progress.sent),
        (MessageState.FAILED, progress.failed),
        (MessageState.IN_DOUBT, progress.in_doubt),
        (rest, progress.left),
    ]
