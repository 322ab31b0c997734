"""What happens after a worker died."""

from pathlib import Path

import pytest

from deliveries.models import Part
from deliveries.sending.journal import Journal
from deliveries.sending.smtp.replies import Reply, Stage
from deliveries.sending.worker import Worker
from deliveries.states import MessageState, PartState
from tests.deliveries import factories

pytestmark = pytest.mark.django_db

ACCEPTED = Reply(250, "2.0.0 queued", Stage.END_OF_DATA)


def dead_holder(journals: Path, delivery) -> Journal:
    """A worker that claimed the delivery's part and died: its journal is there, its lock is free."""
    Part.objects.filter(delivery=delivery).update(state=PartState.CLAIMED, holder="dead", dated_at=delivery.created_at)
    return Journal(journals / "dead.journal")


def test_it_records_what_a_dead_worker_knew_and_sends_the_rest(worker: Worker, smtp_sink):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(4)))
    first = Part.objects.get(delivery=delivery).first_id
    with dead_holder(worker.journals, delivery) as journal:
        journal.handing_over(first)
        journal.outcome(first, ACCEPTED)
        journal.handing_over(first + 1)

    worker.work(until=delivery.created_at.replace(year=2100))

    assert factories.states(delivery) == [
        MessageState.SENT, MessageState.IN_DOUBT, MessageState.SENT, MessageState.SENT,
    ]  # fmt: skip
    assert len(smtp_sink.messages) == 2
    assert not (worker.journals / "dead.journal").exists()


def test_it_leaves_a_living_worker_alone(worker: Worker):
    delivery = factories.confirmed(factories.delivery(factories.people(2)))
    journal = dead_holder(worker.journals, delivery)

    worker.work(until=delivery.created_at.replace(year=2100))

    assert Part.objects.get(delivery=delivery).holder == "dead"
    journal.close()


def test_it_puts_everything_in_doubt_that_a_lost_host_may_have_sent(worker: Worker, smtp_sink):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(3)))
    Part.objects.filter(delivery=delivery).update(
        state=PartState.CLAIMED, holder="elsewhere:1:abc", lease_until=delivery.created_at, dated_at=delivery.created_at
    )

    worker.step()

    assert factories.states(delivery) == [MessageState.IN_DOUBT] * 3
    assert smtp_sink.messages == []
