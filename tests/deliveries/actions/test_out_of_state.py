"""What the page of a delivery does not offer in its state is refused in it, by whichever way it is asked for."""

from typing import Any

import pytest

from deliveries.actions.control import pause, resume
from deliveries.actions.retry_failed import retry_failed
from deliveries.models import AuditLine, Delivery, Message
from deliveries.pages.acts import ACTS, FIRST
from deliveries.states import DeliveryState, MessageState, MoveRefused
from tests.deliveries import factories

pytestmark = pytest.mark.django_db

NOT_OFFERED = [
    (name, state)
    for name in dict.fromkeys(name for names in FIRST.values() for name in names)
    for state in DeliveryState
    if name not in FIRST[state]
]


@pytest.mark.parametrize(("name", "state"), NOT_OFFERED)
def test_an_act_is_refused_in_a_state_that_does_not_offer_it(name: str, state: DeliveryState) -> None:
    delivery = Delivery.objects.create(label="Any", state=state)
    given: dict[str, Any] = {"comment": "The price is wrong"} if name == "send_back" else {}

    with pytest.raises(MoveRefused):
        ACTS[name].action(delivery, **given)

    assert Delivery.objects.get().current_state is state
    assert not AuditLine.objects.exists()


def test_resuming_starts_nothing_that_nobody_confirmed() -> None:
    ready = factories.analysed(factories.delivery(factories.people(2)))

    with pytest.raises(
        MoveRefused, match="is “Ready to be delivered”; this can only be done with one that is “Paused”"
    ):
        resume(ready)

    assert Delivery.objects.get().current_state is DeliveryState.READY


def test_retrying_lets_nothing_go_on_that_is_paused() -> None:
    paused = factories.confirmed(factories.delivery(factories.people(2)))
    pause(paused)
    Message.objects.of_delivery(paused.pk).update(state=MessageState.FAILED)

    with pytest.raises(MoveRefused, match="“In progress” or “Finished”"):
        retry_failed(paused)

    assert Delivery.objects.get().current_state is DeliveryState.PAUSED
    assert set(factories.states(paused)) == {MessageState.FAILED}
