"""What *retry failed* and *send again what is in doubt* share: messages with an outcome become pending once more."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from deliveries.actions.base import ActionRefused
from deliveries.models import Delivery, Message
from deliveries.models.message import NUMBER_BITS
from deliveries.moves import Actor, move, write_act
from deliveries.queue import announce_work
from deliveries.sending.parts import count as count_parts
from deliveries.sending.parts import of_messages, reopen, reopen_parts_with_pending
from deliveries.states import DeliveryState, MessageState, check_state
from deliveries.wishes import still_wanted

MOST_NAMED = 20
"""Messages that the journal names by their numbers."""


@transaction.atomic
def send_again(
    delivery: Delivery, state: MessageState, sentence: str, *, only: Sequence[int] | None = None, by: Actor = None
) -> int:
    """Make the messages in ``state`` of a running or finished delivery pending, with all their attempts before them;
    returns how many. With ``only``, those of these ids. Those to people who unsubscribed meanwhile stay as they are.
    ``sentence`` is for the journal, with a ``{count}`` and, where some were chosen, ``{which}``.

    Raises :class:`deliveries.states.MoveRefused` when the delivery is in another state, and :class:`ActionRefused` when
    the personal values are deleted.
    """
    # The row as it is now, locked as by a worker that gives a part back: nothing may stay pending in a finished one.
    delivery = Delivery.objects.select_for_update().get(pk=delivery.pk)
    check_state(delivery.current_state, DeliveryState.IN_PROGRESS, DeliveryState.FINISHED)
    if delivery.values_purged_at is not None:
        raise ActionRefused("The personal values of this delivery are deleted; its messages cannot be made again.")
    chosen = still_wanted(delivery, Message.objects.of_delivery(delivery.pk).filter(state=state))
    ids: list[int] | None = None
    if only is not None:
        ids = list(chosen.filter(pk__in=only).select_for_update(of=("self",)).values_list("pk", flat=True))
        chosen = Message.objects.filter(pk__in=ids)
    count = chosen.update(
        state=MessageState.PENDING,
        failure_type=None,
        reason=None,
        reply=None,
        processed_at=None,
        retry_at=None,
        attempts=0,
    )
    if not count:
        return 0
    if ids is None:
        reopen_parts_with_pending(delivery.pk)
    else:
        touched = of_messages(ids)
        reopen(touched)
        count_parts(touched)
    at = timezone.now()
    if delivery.valid_until is not None and delivery.valid_until <= at:
        until = max(delivery.ends(at), at + delivery.validity)
        # What is sent now has its mirror page at least as long as it may be on its way.
        pages = max(delivery.resources_until or until, until)
        Delivery.objects.filter(pk=delivery.pk).update(valid_until=until, resources_until=pages)
    if delivery.current_state is not DeliveryState.IN_PROGRESS:
        move(delivery, DeliveryState.IN_PROGRESS, finished_at=None)
    write_act(delivery, sentence.format(count=f"{count:,}", which=which(ids)), by=by)
    announce_work()
    return count


def which(ids: Sequence[int] | None) -> str:
    """What the journal adds about messages that a person chose: their numbers, which say nothing about people. Empty
    when all were meant."""
    if ids is None:
        return ""
    numbers = [str(pk & ((1 << NUMBER_BITS) - 1)) for pk in sorted(ids)]
    more = f" and {len(numbers) - MOST_NAMED:,} more" if len(numbers) > MOST_NAMED else ""
    return f", chosen by hand (number{'s' if len(numbers) > 1 else ''} {', '.join(numbers[:MOST_NAMED])}{more})"
