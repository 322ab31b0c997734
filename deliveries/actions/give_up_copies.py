"""Give up the copies that an archive never got, because it is gone for good."""

from django.db import transaction

from deliveries.actions.base import ActionRefused
from deliveries.archiving.copies import give_up, outstanding_archives
from deliveries.models import Delivery, Level
from deliveries.moves import Actor, write_act
from deliveries.states import ENDED

MAX_REASON = 400


@transaction.atomic
def give_up_copies(delivery: Delivery, *, reason: str = "", by: Actor = None) -> int:
    """Have no outstanding copy of an ended delivery made any more, so that its personal values can be deleted in their
    time; returns how many. What the archive has, it keeps.

    Raises :class:`ActionRefused` without a reason, while the delivery sends, and when no copy is outstanding.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise ActionRefused("Write why the copies are given up: nobody can ask the archive later.")
    # Locked as by whoever deletes the personal values or sends something again.
    delivery = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if delivery.current_state not in ENDED:
        raise ActionRefused("The delivery still sends, and each message brings a copy: wait for its end, or stop it.")
    archives = " and ".join(f"“{name}”" for name in outstanding_archives(delivery.pk))
    count = give_up(delivery.pk)
    if not count:
        raise ActionRefused("The archive has every copy of this delivery: there is nothing to give up.")
    sentence = f"{count:,} copies that the archive {archives} never got were given up. Reason: {reason[:MAX_REASON]}"
    write_act(delivery, sentence, level=Level.WARNING, by=by)
    return count
