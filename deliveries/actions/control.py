"""Pause, resume and stop a running delivery."""

from django.db import transaction
from django.utils import timezone

from deliveries.models import Delivery, Level
from deliveries.moves import Actor, move, write_act
from deliveries.queue import announce_work, ask_to_cancel
from deliveries.sending.parts import cancel_unheld
from deliveries.states import DeliveryState, check_state


@transaction.atomic
def pause(delivery: Delivery, *, by: Actor = None) -> None:
    """Hold a running delivery. Workers finish the message on the wire and give their parts back."""
    move(delivery, DeliveryState.PAUSED)
    write_act(delivery, "Paused.", by=by)


@transaction.atomic
def resume(delivery: Delivery, *, by: Actor = None) -> None:
    """Let a paused delivery go on, at once also where it rested after its server failed; one that missed its whole
    duration begins it now.

    Raises :class:`deliveries.states.MoveRefused` in another state: what waits for its confirmation is not started so.
    """
    check_state(delivery.current_state, DeliveryState.PAUSED)
    at = timezone.now()
    missed = delivery.claimed_at is None and delivery.valid_until is not None and delivery.valid_until <= at
    until = max(delivery.ends(at), at + delivery.validity) if missed else delivery.valid_until
    move(delivery, DeliveryState.IN_PROGRESS, valid_until=until, rests_until=None, losses=0)
    write_act(delivery, "Resumed.", by=by)
    announce_work()


@transaction.atomic
def stop(delivery: Delivery, *, by: Actor = None) -> None:
    """End a delivery for good. Workers give their parts back within a batch; what was not sent becomes *cancelled*, in
    a large delivery bit by bit: the end itself must not wait for that."""
    move(delivery, DeliveryState.STOPPED, finished_at=timezone.now())
    write_act(delivery, "Stopped. Messages that have not been sent are cancelled.", level=Level.WARNING, by=by)
    cancel_unheld(delivery.pk)
    ask_to_cancel()
