"""Take back a confirmation before anything has left."""

from django.db import transaction

from deliveries.models import Delivery
from deliveries.moves import Actor, move, write_act
from deliveries.states import DeliveryState, check_state


@transaction.atomic
def cancel_start(delivery: Delivery, *, by: Actor = None) -> None:
    """Make a delivery whose start is pending ready again, as if it had not been confirmed.

    Raises :class:`deliveries.states.MoveRefused` once it has started.
    """
    check_state(delivery.current_state, DeliveryState.START_PENDING)
    move(delivery, DeliveryState.READY, starts_at=None, valid_until=None, resources_until=None)
    delivery.parts.update(not_before=None)
    write_act(delivery, "The start was cancelled. Nothing has left; the delivery can be confirmed again.", by=by)
