"""Ask for the analysis of a delivery."""

from django.db import transaction

from deliveries.models import Delivery
from deliveries.moves import Actor, move
from deliveries.queue import ask_for_analysis
from deliveries.states import DeliveryState


@transaction.atomic
def analyse(delivery: Delivery, *, by: Actor = None) -> None:
    """Queue the analysis; a worker does it. May be repeated until the delivery is confirmed.

    Raises :class:`deliveries.states.MoveRefused` when the delivery is running, over, or being analysed.
    """
    move(delivery, DeliveryState.ANALYSING)
    ask_for_analysis(delivery.pk)
