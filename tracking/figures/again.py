"""Count the figures of one delivery again, from both logs."""

from django.conf import settings

from campaign.lib.clock import now
from deliveries.models import Delivery
from tracking.figures.events import count_events, recount
from tracking.figures.log import count_log, stamp_of


def why_not(delivery: Delivery) -> str:
    """A sentence when the logs no longer hold what the figures were counted from; empty when they do."""
    if delivery.started_at is None:
        return "The delivery has not started: there is nothing to count."
    if delivery.log_purged_at is not None:
        return "The delivery log was deleted, as old logs are. The figures are what was counted before, and they stay."
    if settings.KEEP_EVENTS is not None and delivery.started_at < now() - settings.KEEP_EVENTS:
        return "Single events of this age are deleted. The figures are what was counted before, and they stay."
    return ""


def count_again(delivery_id: int) -> None:
    """Forget the sums of a delivery and count both logs afresh; changes nothing where :func:`why_not` says why."""
    delivery = Delivery.objects.get(pk=delivery_id)
    if why_not(delivery):
        return
    count_log(delivery, stamp_of(delivery_id))
    recount(delivery_id)
    count_events()
