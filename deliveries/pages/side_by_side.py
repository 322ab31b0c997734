"""Why a delivery that is in progress is slower than it could be alone: what it shares, and with whom."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from campaign.lib.clock import now
from deliveries.chosen_route import NoRoute
from deliveries.models import Delivery, Part, Route
from deliveries.sending.routes import route_of
from deliveries.sending.throttle import slowed_domains
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
    slowed: dict[str, float] | None
    """Messages a second by domain whose server said that it gets too much, in all deliveries; ``None``: Redis, which
    knows, does not answer, and what has a rate waits for it."""


def side_by_side(delivery: Delivery) -> SideBySide | None:
    """What has something to send just now besides the delivery, in one query and those for the route; ``None`` when
    the delivery itself has nothing to send before a later time."""
    at = now()
    open_now = Part.objects.filter(state__in=[PartState.READY, PartState.CLAIMED]).exclude(not_before__gt=at)
    running = (
        Delivery.objects.filter(
            Exists(open_now.filter(delivery=OuterRef("pk"))),
            state=DeliveryState.IN_PROGRESS,
            priority__gte=delivery.priority,
        )
        .exclude(rests_until__gt=at)
        .only("label", "priority")
        .order_by("pk")
    )
    found = list(running)
    if delivery not in found:
        return None
    first = [each for each in found if each.priority > delivery.priority]
    return SideBySide(first, len(found) - len(first) - 1, _limited(delivery), slowed_domains())


def _limited(delivery: Delivery) -> Route | None:
    try:
        route = route_of(delivery)
    except NoRoute:
        return None
    return route if route.messages_per_second else None
