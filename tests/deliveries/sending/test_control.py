"""Retries, waves, priorities and durations, over real SMTP."""

from datetime import UTC, datetime, timedelta

import pytest

from campaign.demo.sink import Fault
from campaign.lib.clock import now
from deliveries.actions import control
from deliveries.actions.base import ActionRefused
from deliveries.actions.control import pause, resume, stop
from deliveries.actions.in_doubt import close_in_doubt, resend_in_doubt
from deliveries.models import Delivery, InDoubtPolicy, Message, Part, Priority, Route, WavesMode
from deliveries.sending import parts
from deliveries.sending.schedule import OVER, cancel_stopped, end_validity, start_due
from deliveries.states import DeliveryState, MessageState, PartState
from tests.deliveries import factories
from tests.deliveries.sending.sessions import elsewhere
from tests.smtp_sink import SinkThread

pytestmark = pytest.mark.django_db

PAST = datetime(2020, 1, 1, tzinfo=UTC)


def make_due() -> None:
    """As if the time of every retry and wave had come."""
    Message.objects.filter(retry_at__isnull=False).update(retry_at=PAST)
    Part.objects.filter(not_before__isnull=False).update(not_before=PAST)


def test_it_tries_again_what_failed_for_the_time_being(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("RCPT", reply="451 4.3.0 Try later", recipient="person2@"))
    delivery = factories.confirmed(factories.delivery(factories.people(3), max_retries=2))

    factories.send(worker, delivery)

    waiting = Message.objects.get(address="person2@example.org")
    assert (waiting.state, waiting.attempts, waiting.reply) == (MessageState.PENDING, 1, "451 4.3.0 Try later")
    assert waiting.retry_at is not None
    assert waiting.retry_at >= now() + timedelta(minutes=59)
    assert Part.objects.get(delivery=delivery).not_before == waiting.retry_at
    assert delivery.state == DeliveryState.IN_PROGRESS

    smtp_sink.misbehave()
    make_due()
    factories.send(worker, delivery)

    sent = Message.objects.get(address="person2@example.org")
    assert (sent.state, sent.attempts, sent.retry_at) == (MessageState.SENT, 2, None)
    assert delivery.state == DeliveryState.FINISHED
    assert len(smtp_sink.messages) == 3


def test_it_gives_up_after_the_last_retry(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("RCPT", reply="451 4.3.0 Try later"))
    delivery = factories.confirmed(factories.delivery(factories.people(1), max_retries=1))

    factories.send(worker, delivery)
    make_due()
    factories.send(worker, delivery)

    message = Message.objects.get()
    assert (message.state, message.attempts, message.failure_type) == (MessageState.FAILED, 2, "soft")
    assert delivery.current_state is DeliveryState.FINISHED


def test_it_does_not_retry_an_address_that_does_not_exist(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("RCPT", reply="550 5.1.1 No such person"))
    delivery = factories.confirmed(factories.delivery(factories.people(1), max_retries=5))

    factories.send(worker, delivery)

    assert factories.states(delivery) == [MessageState.FAILED]


def test_it_sends_a_message_in_doubt_again_only_where_the_delivery_says_so(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("END", close=True, message=2))
    delivery = factories.confirmed(
        factories.delivery(factories.people(3), max_retries=3, in_doubt_policy=InDoubtPolicy.RESEND)
    )

    factories.send(worker, delivery)
    assert factories.states(delivery) == [MessageState.SENT, MessageState.PENDING, MessageState.SENT]
    make_due()
    factories.send(worker, delivery)

    assert factories.states(delivery) == [MessageState.SENT] * 3


def test_a_person_sends_again_or_closes_what_is_in_doubt(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("END", close=True, message=1, keep=True))
    delivery = factories.confirmed(factories.delivery(factories.people(2)))
    factories.send(worker, delivery)
    Delivery.objects.update(rests_until=None)
    factories.send(worker, delivery)
    assert factories.states(delivery) == [MessageState.IN_DOUBT, MessageState.SENT]

    smtp_sink.misbehave(Fault("END", close=True))
    assert resend_in_doubt(delivery) == 1
    factories.send(worker, delivery)
    assert factories.states(delivery) == [MessageState.IN_DOUBT, MessageState.SENT]

    assert close_in_doubt(delivery) == 1
    assert factories.states(delivery) == [MessageState.SENT, MessageState.SENT]
    assert Part.objects.get(delivery=delivery).in_doubt == 0
    with pytest.raises(ActionRefused, match="nothing to decide"):
        resend_in_doubt(delivery)


def test_it_releases_waves_on_time(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(
        factories.delivery(
            factories.people(10), waves_mode=WavesMode.EQUAL, wave_size="40%", wave_interval=timedelta(hours=2)
        )
    )

    factories.send(worker, delivery)

    assert len(smtp_sink.messages) == 4
    later = list(delivery.parts.exclude(not_before=None).order_by("wave").values_list("wave", "size", "not_before"))
    assert [(wave, size) for wave, size, _ in later] == [(2, 4), (3, 2)]
    second, third = (at for _, _, at in later if at is not None)
    assert third - second == timedelta(hours=2)
    make_due()
    factories.send(worker, delivery)
    assert delivery.current_state is DeliveryState.FINISHED
    assert len(smtp_sink.messages) == 10


def test_an_analysis_refuses_waves_that_start_after_the_delivery_has_ended():
    made = factories.analysed(
        factories.delivery(
            factories.people(10), waves_mode=WavesMode.CALENDAR, wave_calendar="0 5\n6d 5", validity=timedelta(days=5)
        )
    )

    assert made.current_state is DeliveryState.ANALYSIS_FAILED
    assert "The last wave starts 6d after the start" in made.state_note


def test_it_waits_for_the_contact_date(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    contact = now() + timedelta(hours=3)
    delivery = factories.confirmed(factories.delivery(factories.people(2), contact_at=contact))

    factories.send(worker, delivery)

    assert smtp_sink.messages == []
    assert delivery.current_state is DeliveryState.START_PENDING
    assert Part.objects.get(delivery=delivery).not_before == contact
    assert delivery.valid_until == contact + delivery.validity

    start_due(now())
    assert not parts.work_is_open(contact)

    start_due(contact)
    assert parts.work_is_open(contact)
    assert not parts.work_is_open(contact - timedelta(seconds=1))


def test_it_cancels_what_is_left_when_the_duration_is_over(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("RCPT", reply="451 4.3.0 Try later", recipient="person2@"))
    delivery = factories.confirmed(factories.delivery(factories.people(3), max_retries=9))
    factories.send(worker, delivery)

    Delivery.objects.update(valid_until=PAST)
    end_validity(now())
    parts.finish_deliveries()

    delivery.refresh_from_db()
    assert factories.states(delivery) == [MessageState.SENT, MessageState.CANCELLED, MessageState.SENT]
    assert delivery.current_state is DeliveryState.FINISHED
    assert delivery.journal.filter(sentence=OVER).exists()


def test_the_journal_tells_one_number_of_cancelled_messages_though_a_worker_held_some():
    delivery = factories.confirmed(factories.delivery(factories.people(5), part_size=2))
    held = parts.claim("somebody", now())
    assert held is not None
    Delivery.objects.update(valid_until=PAST)

    end_validity(now())
    parts.give_back(held, "somebody")

    last, before = delivery.journal.order_by("-pk").values_list("sentence", flat=True)[:2]
    assert (before, last) == (OVER, "Delivery finished: 0 sent, 5 cancelled.")


def test_a_large_delivery_is_stopped_at_once_and_its_rest_cancelled_a_few_parts_at_a_time(
    monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(parts, "CANCELLED_AT_ONCE", 2)
    asked = []
    monkeypatch.setattr(control, "ask_to_cancel", lambda: asked.append(True))
    delivery = factories.confirmed(factories.delivery(factories.people(10), part_size=2))

    with django_assert_max_num_queries(15):
        stop(delivery)

    assert factories.states(delivery) == [MessageState.CANCELLED] * 4 + [MessageState.PENDING] * 6
    assert asked == [True]
    cancel_stopped()
    assert factories.states(delivery) == [MessageState.CANCELLED] * 10
    assert not delivery.parts.exclude(state=PartState.DONE).exists()


def test_what_goes_on_is_not_cancelled_with_what_is_stopped():
    stopped = factories.confirmed(factories.delivery(factories.people(2)))
    other = factories.confirmed(factories.delivery(factories.people(2, on="Others", first=3)))
    Delivery.objects.filter(pk=stopped.pk).update(state=DeliveryState.STOPPED)

    cancel_stopped()

    assert factories.states(stopped) == [MessageState.CANCELLED] * 2
    assert factories.states(other) == [MessageState.PENDING] * 2


def test_it_does_not_say_that_messages_leave_when_it_is_too_late_for_them():
    delivery = factories.confirmed(factories.delivery(factories.people(1), contact_at=now() + timedelta(days=1)))
    late = now() + timedelta(days=30)

    start_due(late)
    end_validity(late)

    delivery.refresh_from_db()
    assert delivery.current_state is DeliveryState.PAUSED
    said = " ".join(delivery.journal.values_list("sentence", flat=True))
    assert "The start was missed" in said
    assert "messages are leaving" not in said


def test_it_holds_a_delivery_whose_whole_time_passed_during_an_outage(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(2)))
    Delivery.objects.update(valid_until=PAST)

    factories.send(worker, delivery)
    end_validity(now())

    delivery.refresh_from_db()
    assert delivery.current_state is DeliveryState.PAUSED
    assert "The start was missed" in delivery.state_note
    assert smtp_sink.messages == []

    resume(delivery)
    factories.send(worker, delivery)
    assert factories.states(delivery) == [MessageState.SENT] * 2


def test_whoever_mended_the_server_need_not_wait_for_the_end_of_a_rest(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(2)))
    Delivery.objects.update(rests_until=now() + timedelta(minutes=15), losses=6)
    factories.send(worker, delivery)
    assert factories.states(delivery) == [MessageState.PENDING] * 2

    delivery.refresh_from_db()
    pause(delivery)
    resume(delivery)
    factories.send(worker, delivery)

    assert factories.states(delivery) == [MessageState.SENT] * 2


def test_the_most_urgent_delivery_goes_first(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    target = factories.people(2)
    normal = factories.confirmed(factories.delivery(target, subject="normal", part_size=1))
    urgent = factories.confirmed(factories.delivery(target, subject="urgent", part_size=1, priority=Priority.HIGH))

    worker.step()

    assert factories.states(urgent) == [MessageState.SENT, MessageState.PENDING]
    assert factories.states(normal) == [MessageState.PENDING] * 2


def test_a_worker_leaves_a_long_part_for_a_more_urgent_delivery(worker, smtp_sink: SinkThread, monkeypatch):
    monkeypatch.setattr("deliveries.sending.worker.FLUSH_MESSAGES", 2)
    factories.route(smtp_sink.port)
    target = factories.people(20)
    normal = factories.confirmed(factories.delivery(target, part_size=20))
    urgent = factories.analysed(factories.delivery(target, priority=Priority.HIGH))
    renew = parts.renew

    def confirm_meanwhile(*arguments: object, **named: object) -> bool:
        if urgent.current_state is DeliveryState.READY:
            factories.accepted(urgent)
        return renew(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(parts, "renew", confirm_meanwhile)

    worker.step()
    worker.step()

    assert 0 < factories.states(normal).count(MessageState.SENT) <= 4
    assert factories.states(urgent) == [MessageState.SENT] * 20


def test_deliveries_of_one_priority_take_turns(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    target = factories.people(4)
    first, second = (factories.confirmed(factories.delivery(target, part_size=1)) for _ in range(2))

    for _ in range(4):
        worker.step()

    assert [factories.states(made).count(MessageState.SENT) for made in (first, second)] == [2, 2]


def test_a_delivery_whose_route_has_no_connection_free_stops_no_other(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    target = factories.people(4)
    narrow = Route.objects.create(name="Narrow", host="127.0.0.1", port=smtp_sink.port, connection_limit=1)
    urgent = factories.confirmed(factories.delivery(target, part_size=1, route=narrow, priority=Priority.HIGH))
    normal = factories.confirmed(factories.delivery(target, part_size=2))

    with elsewhere(narrow):
        worker.work(until=now() + timedelta(seconds=5))

    assert factories.states(normal) == [MessageState.SENT] * 4
    assert factories.states(urgent) == [MessageState.PENDING] * 4
    assert worker.found_no_room


def test_a_delivery_held_back_by_its_rate_stops_no_other(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    target = factories.people(40)
    slow = Route.objects.create(name="Slow", host="127.0.0.1", port=smtp_sink.port, messages_per_second=1)
    urgent = factories.confirmed(factories.delivery(target, part_size=1, route=slow, priority=Priority.HIGH))
    normal = factories.confirmed(factories.delivery(target, part_size=4))

    for _ in range(14):
        worker.step()

    assert factories.states(normal) == [MessageState.SENT] * 40
    assert factories.states(urgent).count(MessageState.SENT) >= 1
