"""Parts and messages that several want at the same moment."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from campaign.lib.clock import now
from deliveries.actions import control
from deliveries.models import Delivery, Message, Part
from deliveries.sending import outcomes, parts
from deliveries.sending.outcomes import Outcome
from deliveries.states import DeliveryState, MessageState, PartState
from tests.deliveries import factories
from tests.deliveries.sending.sessions import until_somebody_waits, waiting_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def out_of_the_box(transactional_db: None) -> None:
    factories.builtin_blocks()


def claimed_elsewhere() -> Part | None:
    try:
        return parts.claim("somebody", now())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("act", "state", "left"),
    [
        (control.pause, DeliveryState.PAUSED, MessageState.PENDING),
        (control.stop, DeliveryState.STOPPED, MessageState.CANCELLED),
    ],
)
def test_no_part_is_taken_while_a_delivery_is_paused_or_stopped(
    act: Callable[[Delivery], None], state: DeliveryState, left: MessageState, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = factories.confirmed(factories.unchecked(factories.delivery(factories.people(2))))
    claims: list[Future[Part | None]] = []

    with ThreadPoolExecutor(1) as pool:

        def somebody_claims(*_: object, **__: object) -> None:
            claims.append(pool.submit(claimed_elsewhere))
            until_somebody_waits()

        monkeypatch.setattr(control, "write_act", somebody_claims)
        act(made)
        assert claims[0].result(20) is None

    assert Delivery.objects.get().current_state is state
    assert factories.states(made) == [left] * 2


def test_whoever_loses_the_last_part_of_a_delivery_takes_one_of_another() -> None:
    target = factories.people(1)
    first, second = (factories.confirmed(factories.delivery(target)) for _ in range(2))

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            taken = parts.claim("me", now())
            claim = pool.submit(claimed_elsewhere)
            until_somebody_waits()
        other = claim.result(20)

    assert taken is not None
    assert other is not None
    assert {taken.delivery_id, other.delivery_id} == {first.pk, second.pk}
    assert set(Part.objects.values_list("state", flat=True)) == {PartState.CLAIMED}


@pytest.mark.parametrize("states", [(MessageState.SENT, MessageState.FAILED), (MessageState.FAILED, MessageState.SENT)])
def test_outcomes_of_several_kinds_take_their_messages_in_the_order_in_which_bounces_do(
    states: tuple[MessageState, MessageState],
) -> None:
    made = factories.confirmed(factories.delivery(factories.people(2)))
    first, second = Message.objects.of_delivery(made.pk).order_by("pk")
    known = [Outcome(message.pk, state, "done", now()) for message, state in zip((first, second), states, strict=True)]

    with waiting_for(first, lambda: outcomes.record(known[::-1])):
        assert Message.objects.select_for_update(nowait=True).get(pk=second.pk) == second

    assert factories.states(made) == list(states)


def taken_in_turn(times: int) -> list[int]:
    """Of which delivery each of the next parts is."""
    taken = [parts.claim("somebody", now()) for _ in range(times)]
    return [part.delivery_id for part in taken if part is not None]


def test_deliveries_of_one_priority_get_as_many_messages_however_large_their_parts_are() -> None:
    target = factories.people(40)
    large = factories.confirmed(factories.delivery(target, part_size=20)).pk
    small = factories.confirmed(factories.delivery(target, part_size=5)).pk

    assert taken_in_turn(10) == [large, small, small, small, small, large, small, small, small, small]


def test_a_delivery_that_begins_late_catches_up_by_a_head_start_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "HEAD_START", 10)
    target = factories.people(60)
    first = factories.confirmed(factories.delivery(target, part_size=5)).pk
    taken_in_turn(6)

    second = factories.confirmed(factories.delivery(target, part_size=5)).pk

    assert taken_in_turn(6) == [second, second, first, second, first, second]


def test_parts_that_are_larger_than_the_head_start_get_their_delivery_no_more_than_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, "HEAD_START", 10)
    target = factories.people(60)
    large = factories.confirmed(factories.delivery(target, part_size=20)).pk
    small = factories.confirmed(factories.delivery(target, part_size=5)).pk

    assert taken_in_turn(15) == [large, *[small] * 4] * 3


def test_messages_that_were_cancelled_in_a_part_do_not_count_however_often_it_is_taken() -> None:
    made = factories.confirmed(factories.delivery(factories.people(5)))
    first = Message.objects.of_delivery(made.pk).order_by("pk")[0]
    Message.objects.of_delivery(made.pk).exclude(pk=first.pk).update(state=MessageState.CANCELLED)

    for _ in range(2):
        taken = parts.claim("me", now())
        assert taken is not None
        parts.give_back(taken, "me")

    assert Delivery.objects.get().handed_out == 0


def test_what_a_worker_gives_back_unsent_does_not_count_as_taken() -> None:
    target = factories.people(10)
    first = factories.confirmed(factories.delivery(target, part_size=10)).pk
    second = factories.confirmed(factories.delivery(target, part_size=5)).pk
    taken = parts.claim("me", now())
    assert taken is not None

    parts.give_back(taken, "somebody who lost it")
    parts.give_back(taken, "me")
    parts.give_back(taken, "me")

    assert Delivery.objects.get(pk=first).handed_out == 0
    assert taken_in_turn(3) == [first, second, second]
