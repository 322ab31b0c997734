"""Who unsubscribes while deliveries are under way gets nothing that has not left yet."""

from datetime import timedelta

import pytest

from campaign.lib.clock import now
from deliveries.actions.again import send_again
from deliveries.actions.control import pause
from deliveries.models import Delivery, Message, Part
from deliveries.rows import pending_rows
from deliveries.sending import outcomes, parts
from deliveries.sending import worker as sending
from deliveries.sending.smtp.replies import Reply, Stage
from deliveries.sending.worker import Worker
from deliveries.states import DeliveryState, MessageState, PartState
from deliveries.tasks import analyse_delivery
from deliveries.wishes import UNWANTED, hold_back_late
from recipients.denylist import deny
from recipients.history import Origin
from recipients.models import Denylist, Recipient, Service, Subscription
from recipients.subscriptions import unsubscribe
from tests.deliveries import factories
from tests.smtp_sink import SinkThread

pytestmark = pytest.mark.django_db

HERE = Origin("here")


def person(number: int) -> Recipient:
    return Recipient.objects.get(address=f"person{number}@example.org")


def state_of(number: int) -> MessageState:
    return MessageState(Message.objects.get(recipient=person(number)).state)


def test_it_sends_nothing_to_who_unsubscribed_before_a_worker_came(worker: Worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(3)))

    deny(person(2), source="here")
    factories.send(worker, delivery)

    assert [received.recipients[0] for received in smtp_sink.messages] == ["person1@example.org", "person3@example.org"]
    held = Message.objects.get(recipient=person(2))
    assert (held.state, held.reply, held.reason) == (MessageState.CANCELLED, UNWANTED, 8)
    assert delivery.current_state is DeliveryState.FINISHED


def test_it_holds_for_waves_retries_and_paused_deliveries():
    readers = factories.people(2)
    waiting = factories.confirmed(
        factories.delivery(readers, waves_mode="calendar", wave_calendar="0 1\n2h 1", label="Waves")
    )
    paused = factories.confirmed(factories.delivery(readers, label="Paused"))
    pause(paused)
    retried = factories.confirmed(factories.delivery(readers, label="Retried"))
    Message.objects.of_delivery(retried.pk).update(attempts=1, retry_at=now() + timedelta(hours=1))

    deny(person(1), source="here")

    for delivery in (waiting, paused, retried):
        assert factories.states(delivery) == [MessageState.CANCELLED, MessageState.PENDING], delivery.label


def test_it_goes_on_with_what_the_law_asks_for():
    delivery = factories.confirmed(factories.delivery(factories.people(1), exclude_denylisted=False))

    deny(person(1), source="here")

    assert factories.states(delivery) == [MessageState.PENDING]


def test_it_holds_back_the_mails_of_the_service_that_was_left_and_no_other():
    readers = factories.people(1)
    services = [Service.objects.create(name=name) for name in ("Weekly", "Daily")]
    for service in services:
        Subscription.objects.create(service=service, recipient=person(1))
    weekly, daily = (
        factories.confirmed(factories.delivery(readers, consent_service=service, label=service.name))
        for service in services
    )

    unsubscribe(person(1), services[0], HERE)

    assert factories.states(weekly) == [MessageState.CANCELLED]
    assert factories.states(daily) == [MessageState.PENDING]


def test_it_looks_at_the_messages_of_one_person_by_their_index(django_assert_num_queries):
    factories.confirmed(factories.delivery(factories.people(3)))
    somebody = person(1)

    with django_assert_num_queries(8):  # two savepoints, entry, history, messages
        deny(somebody, source="here")


@pytest.mark.django_db(transaction=True)
def test_it_holds_for_what_a_worker_has_read_already(
    worker: Worker, smtp_sink: SinkThread, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sending, "FLUSH_MESSAGES", 1)
    factories.builtin_blocks()
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(30)))
    record = outcomes.record

    def record_and_unsubscribe(*args: object) -> None:
        """The last person of the part unsubscribes while its first message is recorded."""
        record(*args)  # type: ignore[arg-type]
        if not Denylist.objects.exists():
            deny(person(30), source="here")
            assert Part.objects.get(delivery=delivery).recalled

    monkeypatch.setattr(outcomes, "record", record_and_unsubscribe)
    factories.send(worker, delivery)

    assert len(smtp_sink.messages) == 29
    assert factories.states(delivery) == [*[MessageState.SENT] * 29, MessageState.CANCELLED]
    assert delivery.current_state is DeliveryState.FINISHED
    assert not Part.objects.get(delivery=delivery).recalled


def test_it_tells_what_the_wire_said_of_a_message_that_was_being_handed_over():
    delivery = factories.confirmed(factories.delivery(factories.people(4), max_retries=3))
    part = parts.claim("me", now())
    assert part is not None
    first, second, third, fourth = (row.id for _, row in pending_rows(part))
    for number in (1, 2, 3):
        deny(person(number), source="here")

    outcomes.record(
        [
            outcomes.of_reply(first, Reply(250, "2.0.0 Taken", Stage.END_OF_DATA), now()),
            outcomes.of_reply(second, Reply(451, "4.3.0 Later", Stage.END_OF_DATA), now()),
            outcomes.in_doubt(third, outcomes.NO_ANSWER, now()),
            outcomes.of_reply(fourth, Reply(451, "4.3.0 Later", Stage.END_OF_DATA), now()),
        ],
        [part.pk],
    )

    # Taken is taken, and doubt is doubt; what may be tried again is not.
    assert factories.states(delivery) == [
        MessageState.SENT, MessageState.CANCELLED, MessageState.IN_DOUBT, MessageState.PENDING,
    ]  # fmt: skip
    part.refresh_from_db()
    assert (part.sent, part.in_doubt) == (1, 1)


def test_it_ends_a_part_in_which_nobody_is_left(django_capture_on_commit_callbacks):
    delivery = factories.confirmed(factories.delivery(factories.people(2), part_size=1))

    with django_capture_on_commit_callbacks(execute=True):
        deny(person(1), source="here")

    assert list(delivery.parts.order_by("pk").values_list("state", flat=True)) == [PartState.DONE, PartState.READY]


def test_it_finds_the_wishes_that_came_while_the_delivery_was_analysed():
    delivery = factories.analysed(factories.delivery(factories.people(2)))
    Denylist.objects.create(recipient=person(1), source="came while nobody could see the messages")

    factories.accepted(delivery)

    assert factories.states(delivery) == [MessageState.CANCELLED, MessageState.PENDING]
    assert hold_back_late(delivery) == 0


def test_it_looks_once_more_when_the_messages_can_be_seen(monkeypatch: pytest.MonkeyPatch):
    made = factories.delivery(factories.people(1))
    Delivery.objects.filter(pk=made.pk).update(state=DeliveryState.ANALYSING)
    monkeypatch.setattr(
        "deliveries.tasks.start_by_itself",
        lambda delivery: Denylist.objects.create(recipient=person(1), source="just now"),
    )

    analyse_delivery(made.pk)

    assert factories.states(made) == [MessageState.CANCELLED]


def test_it_sends_nothing_again_to_who_unsubscribed_meanwhile():
    delivery = factories.confirmed(factories.delivery(factories.people(2)))
    Message.objects.of_delivery(delivery.pk).update(state=MessageState.FAILED, reply="451 4.3.0 Later")
    deny(person(1), source="here")

    assert send_again(delivery, MessageState.FAILED, "{count} again") == 1

    assert factories.states(delivery) == [MessageState.FAILED, MessageState.PENDING]
    assert state_of(1) is MessageState.FAILED
