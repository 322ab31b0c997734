"""What should have happened to a delivery by now, and has not."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from campaign.lib.dates import spelled
from deliveries.models import Delivery
from deliveries.states import DeliveryState

GRACE: Final = timedelta(minutes=5)
"""How late workers and scheduler may be without anybody being told."""

NOT_CONFIRMED: Final = (
    DeliveryState.EDITING,
    DeliveryState.ANALYSING,
    DeliveryState.READY,
    DeliveryState.ANALYSIS_FAILED,
)


def is_overdue(at: datetime) -> Q:
    """The deliveries that :func:`overdue` has something to say about."""
    return (
        Q(state__in=NOT_CONFIRMED, contact_at__lt=at)
        | Q(state=DeliveryState.START_PENDING, starts_at__lt=at - GRACE)
        | Q(state=DeliveryState.IN_PROGRESS, claimed_at=None, started_at__lt=at - GRACE)
    )


def overdue(delivery: Delivery, at: datetime) -> str:
    """A sentence that says what is late and what to do; empty when nothing is."""
    state, zone = delivery.current_state, delivery.contact_zone
    if state in NOT_CONFIRMED and delivery.contact_at is not None and delivery.contact_at < at:
        return (
            f"Overdue: the contact date, {spelled(delivery.contact_at, zone)}, has passed and nobody has confirmed the "
            "delivery. Confirmed now, its messages leave at once."
        )
    late = at - GRACE
    if state is DeliveryState.START_PENDING and delivery.starts_at is not None and delivery.starts_at < late:
        return (
            f"Overdue: it was to start on {spelled(delivery.starts_at, zone)}. The scheduler does not run; the "
            "operator has to start it."
        )
    began = delivery.started_at
    if state is DeliveryState.IN_PROGRESS and delivery.claimed_at is None and began is not None and began < late:
        return (
            f"Overdue: it was started on {spelled(began, zone)} and no worker has begun to send it. Workers are busy "
            "with what is more urgent, or away; the operator knows."
        )
    return ""
