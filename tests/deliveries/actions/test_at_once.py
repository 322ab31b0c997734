"""Several people press at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from campaign.lib.clock import now
from deliveries.actions.base import ActionRefused, MoveRefused
from deliveries.actions.cancel_start import cancel_start
from deliveries.actions.confirm import confirm, warnings_of
from deliveries.actions.control import pause, resume, stop
from deliveries.actions.delete import delete
from deliveries.actions.retry_failed import retry_failed
from deliveries.actions.send_proof import Proof, send_proof
from deliveries.models import AuditLine, Delivery, Message
from deliveries.sending.schedule import start_due
from deliveries.states import DeliveryState, MessageState
from tests.deliveries.factories import analysed, builtin_blocks, confirmed, delivery, people, unchecked

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 4


@pytest.fixture(autouse=True)
def out_of_the_box(transactional_db: None) -> None:
    builtin_blocks()


def at_once(made: Delivery, *acts: Callable[[Delivery], Any]) -> list[Any]:
    """What each act came to: the name of the refusal, or what it returned. All have looked before anybody acts."""
    ready = Barrier(len(acts))

    def press(act: Callable[[Delivery], Any]) -> Any:
        try:
            own = Delivery.objects.get(pk=made.pk)
            ready.wait(timeout=30)
            return act(own)
        except (ActionRefused, MoveRefused) as refused:
            return type(refused).__name__
        except Delivery.DoesNotExist:
            return "gone"
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(press, acts))


def said(sentence: str) -> int:
    return AuditLine.objects.filter(sentence__startswith=sentence).count()


def test_one_confirmation_counts_and_the_others_are_told() -> None:
    made = analysed(delivery(people(2)))

    def press(own: Delivery) -> None:
        confirm(own, acknowledged=[line.pk for line in warnings_of(own)])

    answers = at_once(made, *[press] * PEOPLE)

    assert sorted(map(str, answers)) == ["MoveRefused"] * (PEOPLE - 1) + ["None"]
    assert said("Delivery confirmed") == 1
    assert Message.objects.of_delivery(made.pk).count() == 2


@pytest.mark.parametrize(("act", "sentence"), [(pause, "Paused."), (stop, "Stopped.")])
def test_one_pause_or_stop_counts(act: Any, sentence: str) -> None:
    made = confirmed(unchecked(delivery(people(2))))

    answers = at_once(made, *[act] * PEOPLE)

    assert answers.count(None) == 1
    assert said(sentence) == 1


def test_a_pause_and_a_stop_leave_the_delivery_in_one_of_both() -> None:
    made = confirmed(unchecked(delivery(people(2))))

    answers = at_once(made, pause, stop)

    state = Delivery.objects.get().current_state
    assert (answers, state) in [
        ([None, "MoveRefused"], DeliveryState.PAUSED),
        (["MoveRefused", None], DeliveryState.STOPPED),
    ]


def test_resumed_twice_is_resumed_once() -> None:
    made = confirmed(unchecked(delivery(people(2))))
    pause(made)

    assert at_once(made, resume, resume).count(None) == 1
    assert said("Resumed.") == 1


def test_failed_messages_are_retried_by_one_of_them() -> None:
    made = confirmed(unchecked(delivery(people(3))))
    Message.objects.of_delivery(made.pk).update(state=MessageState.FAILED, reply="550 no")

    answers = at_once(made, *[retry_failed] * PEOPLE)

    assert sorted(map(str, answers)) == ["3"] + ["ActionRefused"] * (PEOPLE - 1)
    assert said("Retrying 3 failed messages") == 1


def test_each_proof_gets_a_number_of_its_own() -> None:
    made = delivery(people(2))

    proofs = at_once(made, *[lambda own: send_proof(own, Proof(addresses=["tester@example.com"]))] * PEOPLE)

    assert sorted(proof.proof_number for proof in proofs) == list(range(1, PEOPLE + 1))


def test_a_start_is_either_cancelled_or_made() -> None:
    made = analysed(unchecked(delivery(people(2), contact_at=now() + timedelta(hours=1))))
    confirm(made)

    answers = at_once(made, cancel_start, lambda _: start_due(now() + timedelta(hours=2)))

    state = Delivery.objects.get().current_state
    assert (answers[0], state) in [
        (None, DeliveryState.READY),
        ("MoveRefused", DeliveryState.IN_PROGRESS),
    ]


def test_a_delivery_is_either_deleted_or_confirmed() -> None:
    made = analysed(unchecked(delivery(people(2))))

    answers = at_once(made, delete, confirm)

    left = Delivery.objects.filter(pk=made.pk).first()
    if left is None:
        assert answers[0] is None
        assert answers[1] in {"gone", "MoveRefused"}
        assert not Message.objects.exists()
    else:
        assert answers == ["ActionRefused", None]
        assert left.current_state is DeliveryState.IN_PROGRESS
        assert Message.objects.of_delivery(made.pk).count() == 2
