"""How far deliveries are: sums over their parts, never a count of messages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Sum

from deliveries.models import Delivery, Part
from deliveries.states import DeliveryState, MessageState


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


def progress_of(deliveries: Iterable[Delivery]) -> Mapping[int, Progress]:
    """The progress of each delivery, by id, in one query."""
    by_id = {delivery.pk: delivery for delivery in deliveries}
    rows = (
        Part.objects.filter(delivery_id__in=by_id)
        .order_by()
        .values_list("delivery_id")
        .annotate(Sum("sent"), Sum("failed"), Sum("in_doubt"))
    )
    sums = {pk: (sent, failed, in_doubt) for pk, sent, failed, in_doubt in rows}
    return {pk: Progress(delivery.to_deliver or 0, *sums.get(pk, (0, 0, 0))) for pk, delivery in by_id.items()}


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
