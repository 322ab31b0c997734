"""What the home page says about A/B tests: those that ask somebody to choose."""

from collections.abc import Iterator
from typing import Any

from django.urls import reverse

from campaign.lib.notices import Notice
from deliveries.models import AbTest
from deliveries.rights import may_view_deliveries, rights_of
from deliveries.states import DeliveryState

MOST = 20


def tell(user: Any) -> Iterator[Notice]:
    """The running tests whose time is over, to those who may choose; one query while there is none."""
    if not may_view_deliveries(user):
        return
    running = [DeliveryState.IN_PROGRESS, DeliveryState.PAUSED]
    asking = AbTest.objects.filter(winner=None, asked_at__isnull=False, delivery__state__in=running)
    for test in asking.select_related("delivery").order_by("asked_at")[:MOST]:
        if rights_of(user, test.delivery).start:
            yield Notice(
                f"The A/B test of “{test.delivery.label}” has no clear winner: the rest waits until somebody chooses.",
                reverse("admin:deliveries_delivery_ab_test", args=[test.delivery_id]),
            )
