"""Rests: how long workers leave a delivery alone when its server fails, so that they neither hammer a broken server nor
hand it message after message whose answer never comes."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef

from deliveries.models import Delivery, Level, Message, Part
from deliveries.moves import write_journal
from deliveries.sending import outcomes, parts
from deliveries.sending.outcomes import Outcome
from deliveries.sending.smtp.replies import Reply, Stage
from deliveries.states import MessageState, PartState

PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (1, 4, 15, 60, 240, 900))
"""Rests after the first, second, … connection lost in a row; the last one repeats."""

UNREACHABLE_PAUSE: Final = timedelta(seconds=15)
"""Rest when no connection could be opened at all: nothing was at risk, so it does not grow."""

LOSSES_FOR_ONE_MESSAGE: Final = 3
"""So many connections may be lost at the same message before it counts as failed and the next one has its turn."""


def after_loss(part: Part, at: datetime) -> None:
    """A connection was lost without a single answer from the server, or a worker met an error that nobody foresaw; the
    more in a row, the longer the rest. What fails each time would else be taken first each time, before all others.

    Of several workers that lose their connections together, the first sets the rest.
    """
    losses = min(part.delivery.losses, len(PAUSES) - 1)
    awake = Delivery.objects.filter(pk=part.delivery_id).exclude(rests_until__gt=at)
    awake.update(rests_until=at + PAUSES[losses], losses=losses + 1)


def while_unreachable(part: Part, at: datetime) -> None:
    """There is no connection to be had."""
    Delivery.objects.filter(pk=part.delivery_id).update(rests_until=at + UNREACHABLE_PAUSE)


def others_send(part: Part, at: datetime) -> bool:
    """Other lanes hold parts of the delivery, and something of these was sent lately."""
    sent = Message.objects.filter(
        pk__gte=OuterRef("first_id"),
        pk__lte=OuterRef("last_id"),
        state=MessageState.SENT,
        processed_at__gt=at - UNREACHABLE_PAUSE,
    )
    held = Part.objects.filter(delivery_id=part.delivery_id, state=PartState.CLAIMED).exclude(pk=part.pk)
    return held.filter(Exists(sent)).exists()


def over(part: Part) -> None:
    """The server answers again."""
    if part.delivery.losses or part.delivery.state_note:
        Delivery.objects.filter(pk=part.delivery_id).update(losses=0, rests_until=None, state_note="")


def note(part: Part, sentence: str) -> None:
    """Tell people once, not once a part."""
    told = Delivery.objects.filter(pk=part.delivery_id).exclude(state_note=sentence[:500])
    if told.update(state_note=sentence[:500]):
        write_journal(part.delivery_id, sentence, level=Level.WARNING)


def blamed(part: Part, sentence: str, at: datetime) -> Outcome | None:
    """The failure of the message at which this part has lost its connection too often, or ``None`` while it may be
    chance. The count lives in the part, so that it survives the worker."""
    losses = part.losses + 1
    first = parts.pending(part).exclude(retry_at__gt=at).order_by("pk").values_list("pk", flat=True).first()
    if losses < LOSSES_FOR_ONE_MESSAGE or first is None:
        Part.objects.filter(pk=part.pk).update(losses=losses)
        return None
    text = f"4.4.2 The connection was lost {losses} times in a row at this message. {sentence}"
    return outcomes.of_reply(first, Reply(451, text, Stage.LOCAL), at)


def got_on(part: Part) -> None:
    """Messages of the part have their outcome: the next loss is the first again."""
    if part.losses:
        Part.objects.filter(pk=part.pk).update(losses=0)
