"""Refusals in the dialogue and bounce mails take one path; accepted messages forget errors."""

from datetime import timedelta

import pytest

from bounces import dialogue
from bounces.process import process
from campaign.demo.sink import Fault
from campaign.lib.clock import now
from deliveries.models import Message
from deliveries.sending import outcomes
from deliveries.sending.outcomes import Outcome, of_reply
from deliveries.sending.smtp.replies import Reply, Stage
from deliveries.states import MessageState
from recipients import quarantine
from recipients.models import Quarantine, QuarantineStatus
from tests.bounces import sent
from tests.deliveries import factories
from tests.smtp_sink import SinkThread

pytestmark = pytest.mark.django_db

FULL = Reply(452, "4.2.2 Mailbox full", Stage.RCPT)
GONE = Reply(550, "5.1.1 User unknown", Stage.RCPT)


def refuse(message: Message, reply: Reply, days: float = 0) -> None:
    outcomes.record([of_reply(message.pk, reply, now() + timedelta(days=days))])


def status(address: str = "person1@example.org") -> str:
    return str(Quarantine.objects.get(address_key=address).status)


def test_a_server_refuses_some_and_exactly_their_addresses_land_in_quarantine(worker, smtp_sink: SinkThread) -> None:
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(
        Fault("RCPT", reply="550 5.1.1 No such person here", recipient="person2@"),
        Fault("RCPT", reply="452 4.2.2 Mailbox full", recipient="person3@"),
        Fault("RCPT", reply="421 4.7.0 Too many connections", recipient="person4@"),
    )
    made = factories.confirmed(factories.delivery(factories.people(5)))

    factories.send(worker, made)

    records = dict(Quarantine.objects.values_list("address_key", "status"))
    assert records == {
        "person2@example.org": QuarantineStatus.QUARANTINE,
        "person3@example.org": QuarantineStatus.WITH_ERRORS,
    }
    held = Quarantine.objects.get(address_key="person2@example.org")
    assert (held.text, held.delivery_id, held.returned) == ("550 5.1.1 No such person here", made.pk, False)


def test_an_accepted_message_forgets_the_errors_of_its_address() -> None:
    made = sent.delivered(2)
    first, second = sent.messages(made)
    refused_at = now() - timedelta(hours=2)
    for message in (first, second):
        quarantine.note([failure(message, refused_at)])
    Message.objects.update(state=MessageState.PENDING)

    outcomes.record([Outcome(first.pk, MessageState.SENT, "250 Ok", now())])

    record = Quarantine.objects.get(address_key=first.address)
    assert (record.status, record.errors, record.errors_since) == (QuarantineStatus.VALID, 0, None)
    assert status(second.address) == QuarantineStatus.WITH_ERRORS


def failure(message: Message, at: object) -> quarantine.AddressFailure:
    return quarantine.AddressFailure(message.address, False, "Mailbox full", "452 full", at)  # type: ignore[arg-type]


def test_an_accepted_message_releases_nobody_from_quarantine() -> None:
    (message,) = sent.messages(sent.delivered())
    quarantine.add(message.address, reason="User unknown")
    Message.objects.update(state=MessageState.PENDING)

    outcomes.record([Outcome(message.pk, MessageState.SENT, "250 Ok", now())])

    assert status() == QuarantineStatus.QUARANTINE


def test_a_server_that_takes_and_returns_has_delivered_nothing_until_days_have_passed() -> None:
    (message,) = sent.messages(sent.delivered())
    process(sent.bounce(message, sent.FULL), source="Test", at=now() - timedelta(days=5))
    later = sent.delivered_again(message, at=now() - timedelta(days=2))

    assert dialogue.forget_arrived(now()) == 0
    assert status() == QuarantineStatus.WITH_ERRORS
    assert later.processed_at is not None
    assert dialogue.forget_arrived(later.processed_at + timedelta(days=4)) == 1
    assert status() == QuarantineStatus.VALID


def test_a_flush_without_refusals_asks_once_whether_any_address_has_errors(django_assert_num_queries) -> None:
    (message,) = sent.messages(sent.delivered())
    batch = [Outcome(message.pk, MessageState.SENT, "250 Ok", now())]

    with django_assert_num_queries(1):
        dialogue.on_recorded(batch)


def test_a_batch_of_refusals_costs_the_same_queries_as_one(django_assert_num_queries) -> None:
    many = sent.messages(sent.delivered(20))
    for batch in (many[:1], many[1:]):
        refused = [of_reply(message.pk, GONE, now()) for message in batch]
        # Addresses, policy, two savepoints, missing records, locked records, written records.
        with django_assert_num_queries(7):
            dialogue.on_recorded(refused)
    assert Quarantine.objects.filter(status=QuarantineStatus.QUARANTINE).count() == 20


def test_a_failure_of_the_counting_stops_no_sending(monkeypatch, caplog) -> None:
    (message,) = sent.messages(sent.delivered())
    Message.objects.update(state=MessageState.PENDING)

    def broken(*_: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr(dialogue, "count", broken)
    refuse(message, GONE)

    message.refresh_from_db()
    assert message.state == MessageState.FAILED
    assert "could not be counted" in caplog.text
