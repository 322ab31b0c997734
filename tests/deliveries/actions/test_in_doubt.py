"""Deciding about messages in doubt, all or some."""

from typing import Any

import pytest

from deliveries.actions.base import ActionRefused
from deliveries.actions.in_doubt import close_in_doubt, resend_in_doubt
from deliveries.models import Delivery, Message, Part
from deliveries.states import DeliveryState, MessageState, PartState
from recipients import denylist
from recipients.models import Recipient
from tests.deliveries.factories import confirmed, delivery, doubtful, people, states

pytestmark = pytest.mark.django_db

SENT, DOUBT, PENDING = MessageState.SENT, MessageState.IN_DOUBT, MessageState.PENDING


@pytest.fixture
def made() -> Delivery:
    """Six messages in parts of two, the second, third and fifth in doubt."""
    return doubtful(confirmed(delivery(people(6), part_size=2)), 2, 3, 5)


def ids(made: Delivery, *numbers: int) -> list[int]:
    messages = list(Message.objects.of_delivery(made.pk).order_by("pk").values_list("pk", flat=True))
    return [messages[number - 1] for number in numbers]


def parts(made: Delivery) -> list[tuple[int, int]]:
    return list(Part.objects.filter(delivery=made).order_by("pk").values_list("state", "in_doubt"))


def test_chosen_ones_are_sent_again_and_the_others_stay(made: Delivery) -> None:
    assert resend_in_doubt(made, only=ids(made, 3, 4)) == 1

    assert states(made) == [SENT, DOUBT, PENDING, SENT, DOUBT, SENT]
    assert parts(made) == [(PartState.DONE, 1), (PartState.READY, 0), (PartState.DONE, 1)]
    assert Delivery.objects.get().current_state is DeliveryState.IN_PROGRESS
    last = made.journal.order_by("pk").last()
    assert last is not None
    assert "1 messages again that were in doubt, chosen by hand (number 3); some may arrive twice" in last.sentence


def test_chosen_ones_are_closed_and_the_others_stay(made: Delivery) -> None:
    assert close_in_doubt(made, only=ids(made, 1, 2, 5)) == 2

    assert states(made) == [SENT, SENT, DOUBT, SENT, SENT, SENT]
    assert parts(made) == [(PartState.DONE, 0), (PartState.DONE, 1), (PartState.DONE, 0)]
    last = made.journal.order_by("pk").last()
    assert last is not None
    assert last.sentence == "2 messages in doubt, chosen by hand (numbers 2, 5) were closed as sent."


@pytest.mark.parametrize("act", [resend_in_doubt, close_in_doubt])
def test_nothing_chosen_is_not_everything(made: Delivery, act: Any) -> None:
    with pytest.raises(ActionRefused, match="Tick the messages first"):
        act(made, only=[])
    with pytest.raises(ActionRefused, match="in doubt any more"):
        act(made, only=ids(made, 1))

    assert states(made).count(DOUBT) == 3


@pytest.mark.parametrize("act", [resend_in_doubt, close_in_doubt])
def test_messages_of_another_delivery_are_left_alone(made: Delivery, act: Any) -> None:
    other = doubtful(confirmed(delivery(people(2, on="Others", first=50))), 1)

    act(made, only=[*ids(made, 2), *ids(other, 1)])

    assert states(other) == [DOUBT, SENT]
    assert parts(other) == [(PartState.DONE, 1)]
    assert Delivery.objects.get(pk=other.pk).current_state is DeliveryState.FINISHED


@pytest.mark.parametrize("act", [resend_in_doubt, close_in_doubt])
def test_it_costs_the_same_for_one_and_for_many(made: Delivery, act: Any, django_assert_max_num_queries: Any) -> None:
    many = doubtful(confirmed(delivery(people(60, on="Many", first=100), part_size=2)), *range(1, 61))

    for one, chosen in ((made, ids(made, 2)), (many, ids(many, *range(1, 51)))):
        with django_assert_max_num_queries(16):
            assert act(one, only=chosen) == len(chosen)


def test_whoever_unsubscribed_meanwhile_gets_nothing_a_second_time(made: Delivery) -> None:
    for number in (2, 3, 5):
        denylist.deny(Recipient.objects.get(address=f"person{number}@example.org"), source="fair")

    with pytest.raises(ActionRefused, match="have unsubscribed"):
        resend_in_doubt(made, only=ids(made, 2))
    with pytest.raises(ActionRefused, match="have unsubscribed"):
        resend_in_doubt(made)

    assert states(made).count(DOUBT) == 3
    assert close_in_doubt(made) == 3
