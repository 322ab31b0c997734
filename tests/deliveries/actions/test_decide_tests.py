"""A/B tests that end by themselves."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

import pytest

from campaign.lib.clock import now
from deliveries.abtest import figures
from deliveries.abtest.figures import Reactions
from deliveries.actions.choose_winner import choose_winner
from deliveries.actions.decide_tests import decide_tests
from deliveries.models import AbTest, Delivery, Measure, Unsure
from deliveries.states import DeliveryState
from tests.deliveries import factories
from tests.smtp_sink import SinkThread

pytestmark = pytest.mark.django_db

React = Callable[[Mapping[str, Reactions]], None]


@pytest.fixture
def react() -> Iterator[React]:
    """Let people react to variants, by letter."""
    before = figures._read

    def reacted(by_letter: Mapping[str, Reactions]) -> None:
        def read(delivery_id: int, _: object) -> Mapping[int, Reactions]:
            variants = AbTest.objects.get(delivery=delivery_id).variants.all()
            return {each.content_id or 0: by_letter[each.letter] for each in variants if each.letter in by_letter}

        figures.register(read)

    reacted({})
    yield reacted
    figures.register(before)


def sent_to_testers(worker, sink: SinkThread, **values: object) -> Delivery:
    """100 people, of whom 40 got A and 40 B."""
    factories.route(sink.port)
    made = factories.delivery(factories.people(100), part_size=20)
    factories.ab_test(made, "Second", **{"share": 80, "by_itself": True, "wait": timedelta(hours=1), **values})
    return factories.send(worker, factories.confirmed(made))


def winner(delivery: Delivery) -> str:
    test = AbTest.objects.get(delivery=delivery)
    return test.winner.letter if test.winner else ""


CLEAR = {"A": Reactions(opened=20, clicked=2), "B": Reactions(opened=20, clicked=15)}
UNCLEAR = {"A": Reactions(opened=20, clicked=8), "B": Reactions(opened=20, clicked=9)}


def test_the_best_goes_to_the_rest_once_the_time_is_over(worker, smtp_sink: SinkThread, react: React):
    delivery = sent_to_testers(worker, smtp_sink)
    react(CLEAR)

    decide_tests(now())
    decide_tests(now() + timedelta(minutes=59))
    assert winner(delivery) == ""
    decide_tests(now() + timedelta(minutes=61))

    assert winner(delivery) == "B"
    delivery = factories.send(worker, delivery)
    assert delivery.current_state is DeliveryState.FINISHED
    assert sum(b"Subject: Second" in each.data for each in smtp_sink.messages) == 60


def test_the_time_to_wait_begins_when_every_test_message_has_been_tried(worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    made = factories.delivery(factories.people(10), part_size=2)
    factories.ab_test(made, "Second", share=50)
    delivery = factories.confirmed(made)
    worker.step()

    decide_tests(now())
    assert AbTest.objects.get(delivery=delivery).tested_at is None
    factories.send(worker, delivery)
    decide_tests(now())

    assert AbTest.objects.get(delivery=delivery).tested_at is not None


@pytest.mark.parametrize(("unsure", "expected"), [(Unsure.ASK, ""), (Unsure.WAIT, ""), (Unsure.FIRST, "A")])
def test_without_confidence_it_does_what_was_agreed(
    worker, smtp_sink: SinkThread, react: React, unsure: str, expected: str
):
    delivery = sent_to_testers(worker, smtp_sink, unsure=unsure)
    react(UNCLEAR)

    decide_tests(now())
    decide_tests(now() + timedelta(hours=2))
    decide_tests(now() + timedelta(hours=2))

    assert winner(delivery) == expected
    asked = list(delivery.journal.filter(sentence__contains="The rest waits until somebody chooses"))
    assert len(asked) == (1 if unsure == Unsure.ASK else 0)


def test_one_that_keeps_waiting_decides_once_the_figures_are_clear(worker, smtp_sink: SinkThread, react: React):
    delivery = sent_to_testers(worker, smtp_sink, unsure=Unsure.WAIT)
    react(UNCLEAR)
    decide_tests(now())
    decide_tests(now() + timedelta(hours=2))

    react(CLEAR)
    decide_tests(now() + timedelta(hours=3))

    assert winner(delivery) == "B"


def test_a_person_who_was_faster_is_not_overruled(worker, smtp_sink: SinkThread, react: React):
    delivery = sent_to_testers(worker, smtp_sink)
    react(CLEAR)
    decide_tests(now())
    choose_winner(delivery, "A")

    decide_tests(now() + timedelta(hours=2))

    assert winner(delivery) == "A"


@pytest.mark.parametrize(
    ("measure", "reactions", "expected"),
    [
        (Measure.OPENS, {"A": Reactions(30, 1), "B": Reactions(5, 5)}, "A"),
        (Measure.CLICKS, {"A": Reactions(30, 1), "B": Reactions(15, 14)}, "B"),
        (Measure.REACTIVITY, {"A": Reactions(10, 10), "B": Reactions(35, 12)}, "A"),
    ],
)
def test_each_measure_has_its_winner(
    worker, smtp_sink: SinkThread, react: React, measure: str, reactions: Mapping[str, Reactions], expected: str
):
    delivery = sent_to_testers(worker, smtp_sink, measure=measure)
    react(reactions)

    decide_tests(now())
    decide_tests(now() + timedelta(hours=2))

    assert winner(delivery) == expected
