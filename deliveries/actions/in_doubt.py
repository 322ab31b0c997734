"""Decide about messages in doubt, all of them or some: handed over, and nobody knows whether they arrived."""

from collections.abc import Sequence

from django.db import transaction

from campaign.lib.clock import now
from deliveries.actions.again import send_again, which
from deliveries.actions.base import ActionRefused
from deliveries.models import Delivery, Level, Message
from deliveries.models.message import MessageQuerySet
from deliveries.moves import Actor, write_act
from deliveries.sending import parts
from deliveries.sending.outcomes import CLOSED
from deliveries.states import MessageState

NONE = "No message of this delivery is in doubt: there is nothing to decide."
NOT_CHOSEN = "Tick the messages first that you want to decide about."
NO_LONGER = "None of the chosen messages is in doubt any more: there is nothing to decide about them."
NOT_WANTED = "Nothing was sent again: the people whom these messages in doubt are for have unsubscribed."


def resend_in_doubt(delivery: Delivery, *, only: Sequence[int] | None = None, by: Actor = None) -> int:
    """Send the messages in doubt again, although they may have arrived; returns how many. With ``only``, those of these
    message ids.

    Raises :class:`ActionRefused` when there is none, :class:`deliveries.states.MoveRefused` when the delivery is
    neither running nor finished.
    """
    if not in_doubt(delivery, only).exists():
        raise ActionRefused(_nothing(only))
    count = send_again(
        delivery,
        MessageState.IN_DOUBT,
        "Sending {count} messages again that were in doubt{which}; some may arrive twice.",
        only=only,
        by=by,
    )
    if not count:
        raise ActionRefused(NOT_WANTED)
    return count


@transaction.atomic
def close_in_doubt(delivery: Delivery, *, only: Sequence[int] | None = None, by: Actor = None) -> int:
    """Count the messages in doubt as sent and never send them again; returns how many. With ``only``, those of these
    message ids.

    A bounce that comes later still turns them into failed ones. Raises :class:`ActionRefused` when there is none.
    """
    doubtful = in_doubt(delivery, only)
    ids = None if only is None else list(doubtful.select_for_update().values_list("pk", flat=True))
    count = doubtful.update(state=MessageState.SENT, reply=CLOSED, processed_at=now())
    if not count:
        raise ActionRefused(_nothing(only))
    if ids is None:
        parts.count(list(delivery.parts.filter(in_doubt__gt=0).values_list("pk", flat=True)))
    else:
        parts.count(parts.of_messages(ids))
    sentence = f"{count:,} messages in doubt{which(ids)} were closed as sent."
    write_act(delivery, sentence, level=Level.WARNING, by=by)
    return count


def in_doubt(delivery: Delivery, only: Sequence[int] | None = None) -> MessageQuerySet:
    """The delivery's messages in doubt; with ``only``, those of these ids."""
    found = Message.objects.of_delivery(delivery.pk).filter(state=MessageState.IN_DOUBT)
    return found if only is None else found.filter(pk__in=only)


def _nothing(only: Sequence[int] | None) -> str:
    if only is None:
        return NONE
    return NO_LONGER if only else NOT_CHOSEN
