"""What happens after a worker died."""

from pathlib import Path

import pytest
from django.db import DatabaseError

from campaign.lib.clock import now
from deliveries.actions.control import stop
from deliveries.models import Message, Part
from deliveries.sending import outcomes, parts
from deliveries.sending.journal import Journal
from deliveries.sending.recovery import recover_dead_holders, settle_overdue_parts
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


def go_on(worker: Worker) -> None:
    """What a process does first, then until nothing is open."""
    recover_dead_holders(worker.journals)
    settle_overdue_parts(worker.journals)
    while worker.step():
        pass


def test_it_records_what_a_dead_worker_knew_and_sends_the_rest(worker: Worker, smtp_sink):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(4)))
    first = Part.objects.get(delivery=delivery).first_id
    with dead_holder(worker.journals, delivery) as journal:
        journal.handing_over(first)
        journal.outcome(first, ACCEPTED)
        journal.handing_over(first + 1)

    go_on(worker)

    assert factories.states(delivery) == [
        MessageState.SENT, MessageState.IN_DOUBT, MessageState.SENT, MessageState.SENT,
    ]  # fmt: skip
    assert len(smtp_sink.messages) == 2
    assert not (worker.journals / "dead.journal").exists()


def test_it_leaves_a_living_worker_alone(worker: Worker):
    delivery = factories.confirmed(factories.delivery(factories.people(2)))
    journal = dead_holder(worker.journals, delivery)

    go_on(worker)

    assert Part.objects.get(delivery=delivery).holder == "dead"
    journal.close()


def test_it_leaves_the_part_to_a_living_but_slow_worker_of_this_host(worker: Worker, smtp_sink):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(2)))
    journal = dead_holder(worker.journals, delivery)
    Part.objects.filter(delivery=delivery).update(lease_until=delivery.created_at)

    go_on(worker)

    part = Part.objects.get(delivery=delivery)
    assert part.holder == "dead"
    assert part.lease_until is not None
    assert part.lease_until > delivery.created_at
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


def test_it_counts_an_attempt_once_that_was_recorded_before_the_worker_died(worker: Worker):
    delivery = factories.confirmed(factories.delivery(factories.people(1), max_retries=1))
    part = Part.objects.get(delivery=delivery)
    refused = outcomes.of_reply(part.first_id, Reply(451, "4.3.0 Try later", Stage.RCPT), now())
    with dead_holder(worker.journals, delivery) as journal:
        journal.outcome(part.first_id, Reply(451, "4.3.0 Try later", Stage.RCPT))
        outcomes.record([refused], [part.pk])

    go_on(worker)

    message = Message.objects.get(pk=part.first_id)
    assert (message.state, message.attempts) == (MessageState.PENDING, 1)


def test_it_finishes_a_delivery_that_was_paused_when_its_last_part_ended(worker: Worker, smtp_sink):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(1)))
    Part.objects.filter(delivery=delivery).update(state=PartState.DONE)

    parts.finish_deliveries()

    delivery.refresh_from_db()
    assert delivery.current_state is DeliveryState.FINISHED


def test_a_worker_that_ends_records_what_it_knows_and_leaves_nothing_behind(tmp_path: Path):
    worker = Worker(tmp_path)
    delivery = factories.confirmed(factories.delivery(factories.people(2)))
    part = Part.objects.get(delivery=delivery)
    Part.objects.update(state=PartState.CLAIMED, holder=worker.holder, dated_at=delivery.created_at)
    worker.journal.outcome(part.first_id, ACCEPTED)

    worker.close()

    part.refresh_from_db()
    assert (part.state, part.holder, part.sent) == (PartState.READY, "", 1)
    assert factories.states(delivery) == [MessageState.SENT, MessageState.PENDING]
    assert not worker.path.exists()


def test_a_worker_that_ends_while_the_database_is_away_leaves_its_journal(tmp_path: Path, monkeypatch):
    worker = Worker(tmp_path)

    def away(*_: object) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(outcomes, "record", away)
    worker.journal.outcome(1, ACCEPTED)

    worker.close()

    assert Journal.replay(worker.path).outcomes == ((1, ACCEPTED),)


def test_a_worker_goes_on_with_a_locked_journal_when_its_own_was_damaged(worker: Worker, smtp_sink):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(2)))
    worker.path.write_bytes(b"rubbish\nO 1 250 end-of-data ok\n")

    worker.work(until=delivery.created_at.replace(year=2100))

    assert factories.states(delivery) == [MessageState.SENT] * 2
    assert worker.path.with_suffix(".damaged").exists()
    with Journal.take_over(worker.path) as gone:
        assert gone is False


def test_it_puts_everything_in_doubt_that_a_lost_host_may_have_sent(worker: Worker, smtp_sink):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(3)))
    Part.objects.filter(delivery=delivery).update(
        state=PartState.CLAIMED, holder="elsewhere:1:abc", lease_until=delivery.created_at, dated_at=delivery.created_at
    )

    go_on(worker)

    assert factories.states(delivery) == [MessageState.IN_DOUBT] * 3
    assert smtp_sink.messages == []


def test_it_settles_what_a_lost_host_held_of_a_delivery_that_was_stopped(worker: Worker):
    delivery = factories.confirmed(factories.delivery(factories.people(3)))
    Part.objects.filter(delivery=delivery).update(
        state=PartState.CLAIMED, holder="elsewhere:1:abc", lease_until=delivery.created_at, dated_at=delivery.created_at
    )
    stop(delivery)

    assert parts.work_is_open(delivery.created_at.replace(year=2100))
    go_on(worker)

    assert factories.states(delivery) == [MessageState.IN_DOUBT] * 3
    assert Part.objects.get(delivery=delivery).state == PartState.DONE


def test_a_missing_journal_of_this_host_is_doubt_as_well(worker: Worker, smtp_sink):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(2)))
    holder = f"{worker.holder.rsplit(':', 1)[0]}:gone"
    Part.objects.filter(delivery=delivery).update(
        state=PartState.CLAIMED, holder=holder, lease_until=delivery.created_at, dated_at=delivery.created_at
    )

    go_on(worker)

    assert factories.states(delivery) == [MessageState.IN_DOUBT] * 2
    assert smtp_sink.messages == []
