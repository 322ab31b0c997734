"""Let A/B tests end by themselves: the winner, or what the delivery says for the case that nobody can be sure."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from campaign.lib.durations import spell
from deliveries.abtest.figures import Figures, figures_of, leader
from deliveries.actions.base import ActionRefused
from deliveries.actions.choose_winner import choose_winner
from deliveries.models import AbTest, Delivery, Level, Message, Part, Unsure
from deliveries.moves import write_journal
from deliveries.states import DeliveryState, MessageState, PartState

LOOK_EVERY: Final = timedelta(minutes=1)

BY_ITSELF = "Chosen by itself after {wait}."
FIRST_INSTEAD = "Chosen by itself after {wait}: no variant was the best with {confidence:g} %, so A is sent as agreed."
ASK = (
    "A/B test: after {wait} no variant is the best with {confidence:g} %. {letter} is ahead, with a probability of "
    "{reached:.1f} %. The rest waits until somebody chooses."
)


def decide_tests(at: datetime) -> None:
    """Look at every running test without a winner. Runs every few seconds; called twice, the second changes nothing."""
    for test in AbTest.objects.filter(winner=None, delivery__state=DeliveryState.IN_PROGRESS).select_related(
        "delivery"
    ):
        if test.tested_at is None:
            _note_tested(test, at)
        elif test.by_itself and test.asked_at is None and at >= _next_look(test, test.tested_at):
            _decide(test, at)


def _next_look(test: AbTest, tested_at: datetime) -> datetime:
    """When the figures are judged: when the time is over, and where that was in vain, every minute from then on."""
    over = tested_at + test.wait
    return over if test.looked_at is None else max(over, test.looked_at + LOOK_EVERY)


def _note_tested(test: AbTest, at: datetime) -> None:
    """The time to wait begins once every test message was tried; those that failed for now may be tried for days."""
    if test.last_test_id is None:
        return
    open_parts = Part.objects.filter(delivery_id=test.delivery_id, last_id__lte=test.last_test_id)
    for part in open_parts.filter(state__lt=PartState.DONE):
        untried = Message.objects.filter(
            pk__range=(part.first_id, part.last_id), state=MessageState.PENDING, attempts=0
        )
        if untried.exists():
            return
    if AbTest.objects.filter(pk=test.pk, tested_at=None).update(tested_at=at):
        write_journal(test.delivery_id, "A/B test: every test message has been tried. The time to wait begins.")


def _decide(test: AbTest, at: datetime) -> None:
    AbTest.objects.filter(pk=test.pk).update(looked_at=at)
    ahead = leader(figures_of(test))
    sure = ahead.confidence * 100 >= test.confidence
    if not sure and test.unsure == Unsure.WAIT:
        return
    if not sure and test.unsure == Unsure.ASK:
        _ask(test, ahead, at)
        return
    letter = ahead.variant.letter if sure else "A"
    why = (BY_ITSELF if sure else FIRST_INSTEAD).format(wait=spell(test.wait), confidence=test.confidence)
    try:
        choose_winner(test.delivery, letter, why=why)
    except ActionRefused:  # somebody chose, or stopped the delivery, at this very moment
        return


@transaction.atomic
def _ask(test: AbTest, ahead: Figures, at: datetime) -> None:
    sentence = ASK.format(
        wait=spell(test.wait), confidence=test.confidence, letter=ahead.variant.letter, reached=ahead.confidence * 100
    )
    if AbTest.objects.filter(pk=test.pk, asked_at=None, winner=None).update(asked_at=at):
        Delivery.objects.filter(pk=test.delivery_id).update(state_note=sentence[:500])
        write_journal(test.delivery_id, sentence, level=Level.WARNING)
