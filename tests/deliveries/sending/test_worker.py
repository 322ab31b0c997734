"""The sending loop over real SMTP."""

import email
import email.policy
from collections.abc import Iterator
from datetime import timedelta

import pytest

from campaign.demo.sink import Fault
from campaign.lib.clock import now
from deliveries.actions.control import pause, stop
from deliveries.actions.retry_failed import retry_failed
from deliveries.mail import Mail
from deliveries.models import Delivery, DomainLimit, Message, Part
from deliveries.rendering.merge import Draft, MessageRow, Renderer
from deliveries.rows import pending_rows
from deliveries.sending import parts
from deliveries.sending.passed_over import PassedOver
from deliveries.sending.rest import UNREACHABLE_PAUSE
from deliveries.sending.smtp.replies import Reply
from deliveries.sending.turns import TOGETHER
from deliveries.states import DeliveryState, MessageState, PartState
from mirror.page import mirror_html
from tests.deliveries import factories
from tests.deliveries.sending.servers import says, serving
from tests.smtp_sink import SinkThread

pytestmark = pytest.mark.django_db


def html_of(data: bytes) -> str:
    message = email.message_from_bytes(data, policy=email.policy.default)
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def token_of(html: str) -> str:
    return html.split("/m/")[1].split('"')[0]


def test_it_sends_every_message_once_and_its_html_is_the_mirror_page(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(25), part_size=10))

    factories.send(worker, delivery)

    assert delivery.current_state is DeliveryState.FINISHED
    assert sorted(received.recipients[0] for received in smtp_sink.messages) == sorted(
        Message.objects.of_delivery(delivery.pk).values_list("address", flat=True)
    )
    pages = [html_of(received.data) for received in smtp_sink.messages]
    assert len(pages) == 25
    for page in pages:
        assert mirror_html(token_of(page)) == page
    assert list(Part.objects.filter(delivery=delivery).order_by("pk").values_list("sent", flat=True)) == [10, 10, 5]


def test_it_keeps_the_servers_words_for_a_refused_address(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("RCPT", reply="550 5.1.1 No such person here", recipient="person2@"))
    delivery = factories.confirmed(factories.delivery(factories.people(3)))

    factories.send(worker, delivery)

    refused = Message.objects.get(address="person2@example.org")
    assert factories.states(delivery) == [MessageState.SENT, MessageState.FAILED, MessageState.SENT]
    assert refused.reply == "550 5.1.1 No such person here"
    assert (refused.failure_type, refused.reason) == ("hard", 1)
    assert delivery.current_state is DeliveryState.FINISHED


def test_it_marks_a_message_in_doubt_when_the_answer_never_comes(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("END", close=True, message=2, keep=True))
    delivery = factories.confirmed(factories.delivery(factories.people(4)))

    factories.send(worker, delivery)

    assert factories.states(delivery) == [
        MessageState.SENT, MessageState.IN_DOUBT, MessageState.SENT, MessageState.SENT,
    ]  # fmt: skip
    assert len(smtp_sink.messages) == 4  # the one in doubt did arrive, and was not sent again


def test_it_rests_when_the_server_cannot_be_reached_and_says_so(worker):
    factories.route(port=9)
    delivery = factories.confirmed(factories.delivery(factories.people(2)))

    worker.step()

    delivery.refresh_from_db()
    assert factories.states(delivery) == [MessageState.PENDING] * 2
    assert "refused the connection" in delivery.state_note
    assert delivery.rests_until is not None
    assert worker.step() is False


def test_parts_that_wait_for_a_domain_do_not_keep_others_from_leaving(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    DomainLimit.objects.create(domain="slow.example", messages_per_second=0.01)
    target = factories.people(8)
    for recipient in target.recipients.order_by("pk")[:5]:
        recipient.address = recipient.address_key = f"person{recipient.pk}@slow.example"
        recipient.save()
    delivery = factories.confirmed(factories.delivery(target, part_size=2))

    while worker.step():
        pass

    sent = sorted(received.recipients[0].rpartition("@")[2] for received in smtp_sink.messages)
    assert sent == ["example.org", "example.org", "example.org", "slow.example"]
    assert delivery.parts.filter(state=PartState.READY).count() == 3


def test_one_refused_connection_does_not_let_those_rest_who_have_theirs(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("CONNECT", reply="421 4.7.0 Too many connections", close=True))
    delivery = factories.confirmed(factories.delivery(factories.people(4), part_size=2))
    part = parts.claim("somebody else", now())
    assert part is not None
    Message.objects.filter(pk=part.first_id).update(state=MessageState.SENT, processed_at=now())

    factories.send(worker, delivery)
    assert (delivery.rests_until, delivery.state_note, worker.found_no_room) == (None, "", True)

    Message.objects.filter(pk=part.first_id).update(processed_at=now() - UNREACHABLE_PAUSE)
    worker.passed_over = PassedOver()
    factories.send(worker, delivery)
    assert delivery.rests_until is not None
    assert "Too many connections" in delivery.state_note


def test_a_delivery_whose_messages_are_all_put_off_leaves_others_of_its_priority_their_turns(
    worker, smtp_sink: SinkThread
):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("RCPT", reply="450 4.2.0 Greylisted"))
    target = factories.people(4)
    two = [factories.confirmed(factories.delivery(target, part_size=2, max_retries=3)) for _ in range(2)]

    for _ in range(2):
        worker.step()

    assert [Message.objects.of_delivery(made.pk).filter(attempts=1).count() for made in two] == [2, 2]
    assert [Delivery.objects.get(pk=made.pk).handed_out for made in two] == [2, 2]


def test_a_delivery_that_keeps_workers_waiting_for_its_turns_is_not_always_the_first(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    DomainLimit.objects.create(domain="slow.example", messages_per_second=4)
    target = factories.people(6, on="Slow")
    for recipient in target.recipients.all():
        recipient.address = recipient.address_key = f"person{recipient.pk}@slow.example"
        recipient.save()
    slow = factories.confirmed(factories.delivery(target, part_size=3))
    quick = factories.confirmed(factories.delivery(factories.people(9, first=10), part_size=3))

    for _ in range(4):
        worker.step()

    assert factories.states(slow).count(MessageState.SENT) == 3
    assert factories.states(quick) == [MessageState.SENT] * 9


def test_a_delivery_at_which_workers_fail_rests_while_others_are_sent(
    worker, smtp_sink: SinkThread, monkeypatch: pytest.MonkeyPatch
):
    def rows(part: Part) -> Iterator[tuple[int, MessageRow]]:
        if part.delivery_id == broken.pk:
            raise KeyError("nobody foresaw this")
        return pending_rows(part)

    monkeypatch.setattr("deliveries.sending.worker.pending_rows", rows)
    factories.route(smtp_sink.port)
    target = factories.people(2)
    broken, other = (factories.confirmed(factories.delivery(target)) for _ in range(2))

    with pytest.raises(KeyError):
        worker.step()
    worker.step()

    assert factories.states(broken) == [MessageState.PENDING] * 2
    assert factories.states(other) == [MessageState.SENT] * 2
    broken.refresh_from_db()
    assert (broken.losses, broken.handed_out) == (1, 0)
    assert broken.rests_until is not None


def test_it_says_an_unreachable_server_once_in_the_journal(worker):
    factories.route(port=9)
    delivery = factories.confirmed(factories.delivery(factories.people(4), part_size=2))

    worker.step()
    Delivery.objects.update(rests_until=None)
    worker.step()

    assert delivery.journal.filter(sentence__contains="refused the connection").count() == 1


def test_it_fails_only_the_message_whose_values_break_a_header(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    target = factories.people(3)
    target.recipients.filter(address="person2@example.org").update(first_name="Eve\r\nBcc: everybody@example.org")
    delivery = factories.confirmed(factories.delivery(target))

    factories.send(worker, delivery)

    broken = Message.objects.get(address="person2@example.org")
    assert factories.states(delivery) == [MessageState.SENT, MessageState.FAILED, MessageState.SENT]
    assert "line break" in (broken.reply or "")
    assert not any(b"\nBcc:" in received.data for received in smtp_sink.messages)


def test_a_value_that_no_database_takes_fails_its_own_message_only(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    trap = '{% if recipient.first_name == "name2" %}{{ "\\x00"|date }}{% endif %}'
    delivery = factories.confirmed(factories.delivery(factories.people(3), html=factories.HTML + trap))

    factories.send(worker, delivery)

    broken = Message.objects.get(address="person2@example.org")
    assert factories.states(delivery) == [MessageState.SENT, MessageState.FAILED, MessageState.SENT]
    assert "“�” is not a date" in (broken.reply or "")


def test_words_that_no_database_takes_are_kept_all_the_same_when_a_server_refuses_the_session(worker):
    with serving(says("554-no\0|554 mail\x1bhere")) as address:
        factories.route(address.port)
        delivery = factories.confirmed(factories.delivery(factories.people(1)))

        factories.send(worker, delivery)

    assert "during the greeting: 554 no  mail here." in delivery.state_note
    assert delivery.rests_until is not None


def test_it_sends_nothing_more_of_a_paused_delivery(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(4), part_size=2))
    worker.step()

    delivery.refresh_from_db()
    pause(delivery)

    assert worker.step() is False
    assert len(smtp_sink.messages) == 2


def test_nothing_that_was_announced_before_a_pause_leaves_after_it(worker, sink: SinkThread, monkeypatch):
    factories.route(sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(20)))
    monkeypatch.setattr("deliveries.sending.worker.FLUSH_AFTER", timedelta(0))
    journalled = worker.journal.outcome

    def paused_meanwhile(message_id: int, reply: Reply | None) -> None:
        journalled(message_id, reply)
        if delivery.current_state is DeliveryState.IN_PROGRESS:
            pause(delivery)

    monkeypatch.setattr(type(worker.journal), "outcome", lambda _, *outcome: paused_meanwhile(*outcome))
    worker.step()

    assert len(sink.messages) == 1
    assert factories.states(delivery) == [MessageState.SENT] + [MessageState.PENDING] * 19


def test_nothing_that_was_made_before_a_pause_leaves_after_it(worker, sink: SinkThread, monkeypatch):
    factories.route(sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(TOGETHER)))
    monkeypatch.setattr("deliveries.sending.worker.FLUSH_AFTER", timedelta(0))
    signed = Renderer.signed

    def paused_at_the_last(renderer: Renderer, draft: Draft) -> Mail:
        if draft.recipient == f"person{TOGETHER}@example.org":
            pause(delivery)
        return signed(renderer, draft)

    monkeypatch.setattr(Renderer, "signed", paused_at_the_last)
    worker.step()

    assert sink.messages == []
    assert factories.states(delivery) == [MessageState.PENDING] * TOGETHER


def test_it_cancels_what_a_stopped_delivery_has_not_sent(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(4), part_size=2))
    worker.step()

    delivery.refresh_from_db()
    stop(delivery)

    assert factories.states(delivery) == [MessageState.SENT] * 2 + [MessageState.CANCELLED] * 2
    assert not Part.objects.filter(delivery=delivery).exclude(state=PartState.DONE).exists()


def test_it_retries_the_failed_messages_and_only_them(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("RCPT", reply="451 4.3.0 Try later", recipient="person2@"))
    delivery = factories.confirmed(factories.delivery(factories.people(3)))
    factories.send(worker, delivery)
    smtp_sink.misbehave()

    assert retry_failed(delivery) == 1
    factories.send(worker, delivery)

    assert factories.states(delivery) == [MessageState.SENT] * 3
    assert len(smtp_sink.messages) == 3
    assert delivery.current_state is DeliveryState.FINISHED


@pytest.mark.parametrize("count", [20, 60])
def test_it_asks_the_database_as_often_for_many_messages_as_for_few(
    worker, smtp_sink: SinkThread, count, django_assert_max_num_queries
):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(count), part_size=60))

    with django_assert_max_num_queries(32):
        factories.send(worker, delivery)

    assert len(smtp_sink.messages) == count


def lossy(delivery, worker) -> int:
    """Work until the delivery is finished, without waiting for its rests; returns how often it had to rest."""
    rests = 0
    while delivery.current_state is DeliveryState.IN_PROGRESS:
        while worker.step():
            pass
        delivery.refresh_from_db()
        rests += delivery.rests_until is not None
        Delivery.objects.update(rests_until=None)
    return rests


def test_it_does_not_hammer_a_server_that_hangs_up_before_answering(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("MAIL", close=True))
    delivery = factories.confirmed(factories.delivery(factories.people(3)))

    assert worker.step() is True
    assert worker.step() is False

    delivery.refresh_from_db()
    first = delivery.rests_until
    Delivery.objects.update(rests_until=None)
    worker.step()
    delivery.refresh_from_db()
    assert first is not None
    assert delivery.rests_until is not None
    assert delivery.losses == 2
    assert factories.states(delivery) == [MessageState.PENDING] * 3


def test_one_recipient_at_whom_the_server_breaks_off_does_not_block_the_others(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("RCPT", reply="junk", recipient="person2@"))
    delivery = factories.confirmed(factories.delivery(factories.people(4)))

    lossy(delivery, worker)

    assert factories.states(delivery) == [
        MessageState.SENT, MessageState.FAILED, MessageState.SENT, MessageState.SENT,
    ]  # fmt: skip
    assert "lost 3 times in a row" in str(Message.objects.get(address="person2@example.org").reply)
    assert len(smtp_sink.messages) == 3


def test_a_server_that_answers_nothing_gets_few_messages_in_doubt(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("END", close=True, keep=True))
    delivery = factories.confirmed(factories.delivery(factories.people(30), part_size=5))

    while worker.step():
        pass

    delivery.refresh_from_db()
    assert factories.states(delivery).count(MessageState.IN_DOUBT) == 1
    assert delivery.rests_until is not None


def test_it_forgets_the_trouble_when_the_server_answers_again(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("MAIL", close=True))
    delivery = factories.confirmed(factories.delivery(factories.people(2), part_size=1))
    worker.step()
    smtp_sink.misbehave()
    Delivery.objects.update(rests_until=None)

    worker.step()

    delivery.refresh_from_db()
    assert (delivery.losses, delivery.rests_until, delivery.state_note) == (0, None, "")
