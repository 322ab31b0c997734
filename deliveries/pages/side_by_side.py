"""Why a delivery that is in progress is slower than it could be alone: what it shares, and with whom."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from campaign.lib.clock import now
from deliveries.chosen_route import NoRoute
from deliveries.models import Delivery, Part, Route
from deliveries.sending.routes import route_of
from deliveries.states import DeliveryState, PartState


@dataclass(frozen=True, slots=True)
class SideBySide:
    """What leaves at the same time as a delivery, and the rate that all of it shares."""

    first: list[Delivery]
    """Of a higher priority: they go first."""
    equals: int
    """How many have the same priority and get as many messages."""
    route: Route | None
    """The delivery's route where it has a rate, which counts for everything that leaves by it."""


def side_by_side(delivery: Delivery) -> SideBySide:
    """What has something to send just now, the delivery itself left out; three queries."""
    open_now = Part.objects.filter(delivery=OuterRef("pk"), state__in=[PartState.READY, PartState.CLAIMED])
    others = (
        Delivery.objects.filter(
            Exists(open_now.exclude(not_before__gt=now())),
            state=DeliveryState.IN_PROGRESS,
            priority__gte=delivery.priority,
        )
        .exclude(pk=delivery.pk)
        .exclude(rests_until__gt=now())
        .only("label", "priority", "proof_of", "proof_number")
        .order_by("pk")
    )
    found = list(others)
    first = [each for each in found if each.priority > delivery.priority]
    return SideBySide(first, len(found) - len(first), _limited(delivery))


def _limited(delivery: Delivery) -> Route | None:
    try:
        route = route_of(delivery)
    except NoRoute:
        return None
    return route if route.messages_per_second else None
