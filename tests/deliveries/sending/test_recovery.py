"""What happens after a worker died."""

from pathlib import Path

import pytest
from django.db import DatabaseError

from deliveries.models import Part
from deliveries.sending import outcomes, parts
from deliveries.sending.journal import Journal
from deliveries.sending.smtp.replies import Reply, Stage
from deliveries.sending.worker import Worker
from deliveries.states import DeliveryState, MessageState, PartState
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


def test_it_leaves_the_part_to_a_living_but_slow_worker_of_this_host(worker: Worker, smtp_sink):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(2)))
    journal = dead_holder(worker.journals, delivery)
    Part.objects.filter(delivery=delivery).update(lease_until=delivery.created_at)

    worker.step()

    assert Part.objects.get(delivery=delivery).holder == "dead"
    assert factories.states(delivery) == [MessageState.PENDING] * 2
    assert smtp_sink.messages == []
    journal.close()


def test_it_keeps_what_it_knows_when_the_database_refuses_and_sends_nothing_twice(
    worker: Worker, smtp_sink, monkeypatch
):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(3)))
    record = outcomes.record
    refusals = iter([DatabaseError("gone"), None, None, None, None])

    def refuse_once(*arguments, **more):
        if error := next(refusals, None):
            raise error
        record(*arguments, **more)

    monkeypatch.setattr(outcomes, "record", refuse_once)
    with pytest.raises(DatabaseError):
        worker.step()
    factories.send(worker, delivery)

    assert factories.states(delivery) == [MessageState.SENT] * 3
    assert len(smtp_sink.messages) == 3


def test_it_finishes_a_delivery_that_was_paused_when_its_last_part_ended(worker: Worker, smtp_sink):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(1)))
    Part.objects.filter(delivery=delivery).update(state=PartState.DONE)

    parts.finish_deliveries()

    delivery.refresh_from_db()
    assert delivery.current_state is DeliveryState.FINISHED


def test_it_keeps_the_journal_of_a_worker_that_ends_without_having_recorded(tmp_path: Path):
    worker = Worker(tmp_path)
    worker.journal.outcome(1, ACCEPTED)

    worker.close()

    assert worker.path.exists()


def test_it_puts_everything_in_doubt_that_a_lost_host_may_have_sent(worker: Worker, smtp_sink):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(3)))
    Part.objects.filter(delivery=delivery).update(
        state=PartState.CLAIMED, holder="elsewhere:1:abc", lease_until=delivery.created_at, dated_at=delivery.created_at
    )

    worker.step()

    assert factories.states(delivery) == [MessageState.IN_DOUBT] * 3
    assert smtp_sink.messages == []
