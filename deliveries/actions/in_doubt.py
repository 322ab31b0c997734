"""Decide about messages in doubt: handed over, and nobody knows whether they arrived."""

from django.db import transaction

from campaign.lib.clock import now
from deliveries.actions.again import send_again
from deliveries.actions.base import ActionRefused
from deliveries.models import Delivery, Level, Message
from deliveries.moves import Actor, write_act
from deliveries.sending import parts
from deliveries.sending.outcomes import CLOSED
from deliveries.states import MessageState

NONE = "No message of this delivery is in doubt: there is nothing to decide."


def resend_in_doubt(delivery: Delivery, *, by: Actor = None) -> int:
    """Send the messages in doubt again, although they may have arrived; returns how many.

    Raises :class:`ActionRefused` when there is none, :class:`deliveries.states.MoveRefused` when the delivery is
    neither running nor finished.
    """
    count = send_again(
        delivery,
        MessageState.IN_DOUBT,
        "Sending {count} messages again that were in doubt; some may arrive twice.",
        by=by,
    )
    if not count:
        raise ActionRefused(NONE)
    return count


@transaction.atomic
def close_in_doubt(delivery: Delivery, *, by: Actor = None) -> int:
    """Count the messages in doubt as sent and never send them again; returns how many.

    A bounce that comes later still turns them into failed ones. Raises :class:`ActionRefused` when there is none.
    """
    doubtful = Message.objects.of_delivery(delivery.pk).filter(state=MessageState.IN_DOUBT)
    count = doubtful.update(state=MessageState.SENT, reply=CLOSED, processed_at=now())
    if not count:
        raise ActionRefused(NONE)
    parts.count(list(delivery.parts.filter(in_doubt__gt=0).values_list("pk", flat=True)))
    write_act(delivery, f"{count:,} messages in doubt were closed as sent.", level=Level.WARNING, by=by)
    return count
