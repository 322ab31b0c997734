"""Test SMTP delivery: every address is offered, nothing is sent."""

import pytest

from campaign.demo.sink import Fault, Script
from deliveries.models import Message
from deliveries.sending.worker import Worker
from deliveries.states import DeliveryState, MessageState
from tests.deliveries import factories
from tests.smtp_sink import SinkThread

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("without", ["", "PIPELINING", "CHUNKING"])
def test_it_offers_every_address_and_sends_nothing(worker: Worker, smtp_sink: SinkThread, without: str) -> None:
    extensions = tuple(name for name in Script().extensions if name != without)
    refusal = Fault("RCPT", reply="550 5.1.1 No such user", recipient="person2@example.org")
    smtp_sink.sink.script = Script(extensions=extensions, faults=(refusal,))
    factories.route(smtp_sink.port)
    made = factories.delivery(factories.people(3), test_smtp=True)

    made = factories.send(worker, factories.confirmed(made))

    assert made.current_state is DeliveryState.FINISHED
    assert smtp_sink.messages == []
    states = dict(Message.objects.of_delivery(made.pk).values_list("address", "state"))
    assert states == {
        "person1@example.org": MessageState.CANCELLED,
        "person2@example.org": MessageState.FAILED,
        "person3@example.org": MessageState.CANCELLED,
    }
    replies = dict(Message.objects.of_delivery(made.pk).values_list("address", "reply"))
    assert "Test only, nothing was sent. The server would take it: 250" in str(replies["person1@example.org"])
    assert replies["person2@example.org"] == "550 5.1.1 No such user"
    assert not any(event.startswith(("DATA", "BDAT")) for event in smtp_sink.events)


def test_it_leaves_nothing_in_doubt_when_the_server_goes_away(worker: Worker, smtp_sink: SinkThread) -> None:
    smtp_sink.misbehave(Fault("RCPT", close=True, message=2))
    factories.route(smtp_sink.port)
    made = factories.delivery(factories.people(3), test_smtp=True)

    factories.send(worker, factories.confirmed(made))

    assert not Message.objects.of_delivery(made.pk).filter(state=MessageState.IN_DOUBT).exists()
