"""Send again what failed."""

from django.db import transaction
from django.utils import timezone

from deliveries.actions.base import ActionRefused
from deliveries.models import Delivery, Message
from deliveries.moves import Actor, move, write_journal
from deliveries.queue import announce_work
from deliveries.sending.parts import reopen_parts_with_pending
from deliveries.states import DeliveryState, MessageState, check_move


@transaction.atomic
def retry_failed(delivery: Delivery, *, by: Actor = None) -> int:
    """Make the failed messages of a running or finished delivery pending again; returns how many.

    Raises :class:`ActionRefused` when nothing has failed, :class:`deliveries.states.MoveRefused` in another state.
    """
    # The row as it is now, locked as by a worker that gives a part back: nothing may stay pending in a finished one.
    delivery = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if delivery.current_state is not DeliveryState.IN_PROGRESS:
        check_move(delivery.current_state, DeliveryState.IN_PROGRESS)
    failed = Message.objects.of_delivery(delivery.pk).filter(state=MessageState.FAILED)
    count = failed.update(
        state=MessageState.PENDING, failure_type=None, reason=None, reply=None, processed_at=None, attempts=0
    )
    if not count:
        raise ActionRefused("No message of this delivery has failed: there is nothing to retry.")
    reopen_parts_with_pending(delivery.pk)
    at = timezone.now()
    if delivery.valid_until is not None and delivery.valid_until <= at:
        Delivery.objects.filter(pk=delivery.pk).update(valid_until=at + delivery.validity)
    if delivery.current_state is not DeliveryState.IN_PROGRESS:
        move(delivery, DeliveryState.IN_PROGRESS, finished_at=None)
    write_journal(delivery.pk, f"Retrying {count:,} failed messages.", by=by)
    announce_work()
    return count
