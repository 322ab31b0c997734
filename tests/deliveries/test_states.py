"""The state machines, in Python and in the database."""

import pytest
from django.db import IntegrityError, transaction

from deliveries.models import Delivery
from deliveries.moves import move
from deliveries.states import DELIVERY_MOVES, DeliveryState, MessageState, MoveRefused, sources
from tests.deliveries import factories

PAIRS = [(now, to) for now in DeliveryState for to in DeliveryState if now is not to]


def forced(state: DeliveryState) -> Delivery:
    """A delivery in a state, however it got there: rows are inserted, so no move is judged."""
    return Delivery.objects.create(label="Any", state=state)


@pytest.mark.django_db
@pytest.mark.parametrize(("now", "to"), PAIRS)
def test_it_lets_the_database_refuse_the_same_moves(now, to):
    delivery = forced(now)

    try:
        with transaction.atomic():
            Delivery.objects.filter(pk=delivery.pk).update(state=to)
        allowed = True
    except IntegrityError:
        allowed = False

    assert allowed is (to in DELIVERY_MOVES[now])


@pytest.mark.django_db
def test_it_refuses_a_forbidden_move_with_a_sentence():
    delivery = forced(DeliveryState.EDITING)

    with pytest.raises(MoveRefused, match="cannot become “In progress”"):
        move(delivery, DeliveryState.IN_PROGRESS)


@pytest.mark.django_db
def test_it_lets_only_one_of_two_people_move_a_delivery():
    delivery = factories.delivery()
    stale = Delivery.objects.get(pk=delivery.pk)
    move(delivery, DeliveryState.ANALYSING)

    with pytest.raises(MoveRefused, match="Somebody else"):
        move(stale, DeliveryState.ANALYSING)


@pytest.mark.django_db
def test_it_refuses_a_state_that_does_not_exist():
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(label="Any", state=33)


def test_it_never_sends_again_what_was_sent_or_cancelled():
    assert MessageState.SENT not in sources(MessageState.PENDING)
    assert MessageState.CANCELLED not in sources(MessageState.PENDING)
