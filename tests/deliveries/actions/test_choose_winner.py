"""An A/B test from the analysis to the last message, over real SMTP."""

import email
import email.policy
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from campaign.lib.clock import now
from campaign.lib.signing import MIRROR
from deliveries.actions.base import ActionRefused
from deliveries.actions.choose_winner import choose_winner
from deliveries.actions.control import pause, resume, stop
from deliveries.actions.personal_data import person_of
from deliveries.identifiers import find_message
from deliveries.models import AbTest, Content, Delivery, Message, Part
from deliveries.privacy import export
from deliveries.rows import renderer, rows_of
from deliveries.sending import parts
from deliveries.sending.schedule import end_validity
from deliveries.states import DeliveryState, MessageState, PartState
from deliveries.wishes import hold_back
from mirror.page import mirror_html
from recipients.models import Recipient
from tests.deliveries import factories
from tests.deliveries.sending.test_worker import html_of
from tests.smtp_sink import SinkThread

pytestmark = pytest.mark.django_db


def sent_to_testers(worker, sink: SinkThread, people: int = 20, **values: object) -> Delivery:
    """A delivery whose test messages have been sent: 4 with A, 3 with B, 3 with C of 20."""
    factories.route(sink.port)
    made = factories.delivery(factories.people(people), part_size=4)
    factories.ab_test(made, "Second {{ recipient.address }}", "Third", **{"share": 50, **values})
    return factories.send(worker, factories.confirmed(made))


def subjects(sink: SinkThread) -> Counter[str]:
    """What arrived, by the first word of the subject."""
    policy = email.policy.default
    return Counter(email.message_from_bytes(each.data, policy=policy)["Subject"].split()[0] for each in sink.messages)


def test_the_variants_go_to_their_share_and_the_rest_waits(worker, smtp_sink: SinkThread):
    delivery = sent_to_testers(worker, smtp_sink)

    assert subjects(smtp_sink) == {"News": 4, "Second": 3, "Third": 3}
    assert delivery.current_state is DeliveryState.IN_PROGRESS
    assert factories.states(delivery) == [MessageState.SENT] * 10 + [MessageState.PENDING] * 10
    waiting = Part.objects.filter(delivery=delivery, state=PartState.WAITING)
    assert [part.size for part in waiting.order_by("pk")] == [4, 4, 2]
    assert not parts.work_is_open(now())


def test_the_winner_goes_to_the_rest_in_its_own_bytes(worker, smtp_sink: SinkThread):
    delivery = sent_to_testers(worker, smtp_sink)

    choose_winner(delivery, "B")
    delivery = factories.send(worker, delivery)

    assert delivery.current_state is DeliveryState.FINISHED
    assert subjects(smtp_sink) == {"News": 4, "Second": 13, "Third": 3}
    assert len({each.recipients[0] for each in smtp_sink.messages}) == 20
    test = AbTest.objects.get(delivery=delivery)
    rest = Content.objects.get(pk=test.rest_content_id or 0)
    assert rest.compiled == test.variants.values_list("content__compiled", flat=True).get(letter="B")
    arrived = {each.recipients[0]: each.data for each in smtp_sink.messages}
    ids = Message.objects.of_delivery(delivery.pk).filter(content=rest).values_list("pk", flat=True)
    for content_id, row in rows_of(ids):
        assert renderer(content_id).mail(row).data == arrived[row.address]


def test_a_mirror_page_shows_the_variant_of_its_message(worker, smtp_sink: SinkThread):
    delivery = sent_to_testers(worker, smtp_sink)
    test = AbTest.objects.get(delivery=delivery)

    for received in smtp_sink.messages:
        mail = email.message_from_bytes(received.data, policy=email.policy.default)
        html = html_of(received.data)
        token = html.split("/m/")[1].split('"')[0]
        message = find_message(MIRROR, token)
        first_word = {"News": "A", "Second": "B", "Third": "C"}[mail["Subject"].split()[0]]
        assert message.content_id == test.variants.get(letter=first_word).content_id
        assert mirror_html(token) == html


def test_there_is_never_a_second_winner(worker, smtp_sink: SinkThread):
    delivery = sent_to_testers(worker, smtp_sink)
    choose_winner(delivery, "C")

    with pytest.raises(ActionRefused, match=r"chosen already: variant C\."):
        choose_winner(delivery, "B")

    factories.send(worker, delivery)
    assert subjects(smtp_sink)["Third"] == 13


def test_a_choice_that_is_undone_by_a_crash_leaves_everything_waiting(worker, smtp_sink: SinkThread, monkeypatch):
    delivery = sent_to_testers(worker, smtp_sink)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("deliveries.actions.choose_winner.write_act", killed)
        with pytest.raises(KeyboardInterrupt):
            choose_winner(delivery, "B")
    assert not worker.step()
    choose_winner(delivery, "A")

    factories.send(worker, delivery)
    assert subjects(smtp_sink) == {"News": 14, "Second": 3, "Third": 3}


def test_the_winner_may_be_chosen_while_the_delivery_is_paused(worker, smtp_sink: SinkThread):
    delivery = sent_to_testers(worker, smtp_sink)
    pause(delivery)

    choose_winner(delivery, "B")
    assert not worker.step()
    resume(Delivery.objects.get(pk=delivery.pk))

    factories.send(worker, delivery)
    assert subjects(smtp_sink)["Second"] == 13


def test_stopping_cancels_those_who_wait_and_nobody_chooses_after_it(worker, smtp_sink: SinkThread):
    delivery = sent_to_testers(worker, smtp_sink)

    stop(delivery)

    assert factories.states(delivery) == [MessageState.SENT] * 10 + [MessageState.CANCELLED] * 10
    with pytest.raises(ActionRefused, match="no message waits"):
        choose_winner(delivery, "A")


def test_at_the_end_of_its_validity_a_delivery_without_a_winner_is_over(worker, smtp_sink: SinkThread):
    delivery = sent_to_testers(worker, smtp_sink)
    Delivery.objects.filter(pk=delivery.pk).update(valid_until=now() - timedelta(seconds=1))

    end_validity(now())
    parts.finish_deliveries()

    delivery.refresh_from_db()
    assert delivery.current_state is DeliveryState.FINISHED
    assert factories.states(delivery) == [MessageState.SENT] * 10 + [MessageState.CANCELLED] * 10


def test_who_unsubscribes_while_the_rest_waits_gets_nothing(worker, smtp_sink: SinkThread):
    delivery = sent_to_testers(worker, smtp_sink)
    last = Message.objects.of_delivery(delivery.pk).latest("pk")

    hold_back(last.recipient_id or 0, None)
    choose_winner(delivery, "B")

    factories.send(worker, delivery)
    assert subjects(smtp_sink)["Second"] == 12
    assert last.address not in {each.recipients[0] for each in smtp_sink.messages}


def test_a_person_may_have_their_data_while_their_message_waits(worker, smtp_sink: SinkThread):
    delivery = sent_to_testers(worker, smtp_sink)
    last = Message.objects.of_delivery(delivery.pk).latest("pk")

    exported = export(person_of(Recipient.objects.get(address=last.address)))["messages"]

    assert [each["number"] for each in exported] == [20]
    assert exported[0]["values"]["recipient.address"] == last.address


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_choose_at_once_one_finds_a_winner(worker, smtp_sink: SinkThread):
    factories.builtin_blocks()
    delivery = sent_to_testers(worker, smtp_sink)
    ready = threading.Barrier(2)

    def choose(letter: str) -> str:
        ready.wait(60)
        try:
            return choose_winner(delivery, letter).letter
        except ActionRefused as refused:
            return str(refused)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as both:
        said = sorted(both.map(choose, "BC"), key=len)

    winner = AbTest.objects.values_list("winner__letter", flat=True).get(delivery=delivery)
    assert said[0] == winner
    assert said[1] == f"The winner has been chosen already: variant {winner}."
    factories.send(worker, delivery)
    assert len({each.recipients[0] for each in smtp_sink.messages}) == len(smtp_sink.messages) == 20
