"""The analysis of a delivery with an A/B test."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from deliveries.analysis.fingerprint import is_stale
from deliveries.models import (
    AbTest,
    Content,
    Delivery,
    Measure,
    Message,
    MessageValues,
    SeedAddress,
    SeedGroup,
    Variant,
)
from deliveries.states import DeliveryState
from tests.deliveries import factories

pytestmark = pytest.mark.django_db


def journal(delivery: Delivery) -> str:
    return " ".join(delivery.journal.values_list("sentence", flat=True))


def split(delivery: Delivery) -> dict[str, int]:
    """The content of everybody's message."""
    return dict(Message.objects.of_delivery(delivery.pk).order_by("pk").values_list("address", "content_id"))


def in_order(contents: dict[str, int]) -> dict[str, int]:
    """The same with the place of each content among all, which an analysis gives in the same order again."""
    places = {content: place for place, content in enumerate(sorted(set(contents.values())))}
    return {address: places[content] for address, content in contents.items()}


class TestSplit(TestCase):
    """Whatever the numbers are."""

    @given(
        people=st.integers(6, 60),
        variants=st.integers(2, 5),
        share=st.floats(0.1, 60),
        draw=st.integers(0, 2**31 - 1),
    )
    @settings(max_examples=25)
    def test_the_share_is_divided_equally_and_the_rest_waits(
        self, people: int, variants: int, share: float, draw: int
    ) -> None:
        delivery = factories.delivery(factories.people(people), draw=draw)
        factories.ab_test(delivery, *["Two", "Three", "Four", "Five"][: variants - 1], share=share)

        factories.analysed(delivery)

        test = AbTest.objects.get(delivery=delivery)
        contents = list(test.variants.order_by("letter").values_list("content_id", flat=True))
        numbers = Counter(split(delivery).values())
        assert test.rest_content_id is not None
        rest = numbers.pop(test.rest_content_id)
        assert set(numbers) == set(contents)
        assert max(numbers.values()) - min(numbers.values()) <= 1
        wanted = max(variants, people * share / 100)
        assert wanted - 1e-6 <= people - rest < wanted + 1
        first = in_order(split(delivery))
        factories.analysed(delivery)
        assert in_order(split(delivery)) == first


def test_all_variants_share_the_values_of_a_message():
    delivery = factories.delivery(factories.people(6), subject="Hello", html="<p>{{ recipient.first_name }}</p>")
    factories.ab_test(delivery, "For {{ recipient.address }}", share=50)

    factories.analysed(delivery)

    fields = [content.compiled["fields"] for content in Content.objects.filter(delivery=delivery)]
    assert fields[0] == fields[1]
    assert {"recipient.first_name", "recipient.address"} <= set(fields[0])
    assert all(len(each.values) == len(fields[0]) for each in MessageValues.objects.all())


def test_a_mistake_in_one_variant_is_told_with_its_letter_and_one_in_all_once():
    delivery = factories.delivery(factories.people(6), sender_address="")
    factories.ab_test(delivery, "{{ recipient.nothing }}", share=50)

    delivery = factories.analysed(delivery)

    assert delivery.current_state is DeliveryState.ANALYSIS_FAILED
    sentences = list(delivery.journal.values_list("sentence", flat=True))
    assert next(each for each in sentences if "recipient.nothing" in each).startswith("Variant B: ")
    assert len([each for each in sentences if "sender" in each.lower() and "Variant" not in each]) == 1


def test_seed_addresses_see_the_variants():
    group = SeedGroup.objects.create(name="Us")
    for number in range(3):
        group.addresses.add(SeedAddress.objects.create(address=f"seed{number}@example.com"))
    delivery = factories.delivery(factories.people(20))
    delivery.seed_groups.add(group)
    factories.ab_test(delivery, "Other", share=50)

    factories.analysed(delivery)

    test = AbTest.objects.get(delivery=delivery)
    contents = set(test.variants.values_list("content_id", flat=True))
    messages = Message.objects.of_delivery(delivery.pk)
    assert messages.count() == 23
    assert test.last_test_id is not None
    for message in messages:
        assert (message.content_id in contents) == (message.pk <= test.last_test_id)


@pytest.mark.parametrize(
    ("values", "subjects", "sentence"),
    [
        ({}, [], "has one variant only"),
        ({}, [""], "Variant B of the A/B test is no different"),
        ({"waves_mode": "equal", "wave_size": "2"}, ["Other"], "A/B test and waves exclude each other"),
    ],
)
def test_what_is_no_test_is_refused(values, subjects, sentence):
    delivery = factories.delivery(factories.people(6), **values)
    factories.ab_test(delivery, *subjects)

    delivery = factories.analysed(delivery)

    assert delivery.current_state is DeliveryState.ANALYSIS_FAILED
    assert sentence in journal(delivery)


def test_a_target_that_leaves_nobody_for_the_winner_is_refused():
    delivery = factories.delivery(factories.people(2))
    factories.ab_test(delivery, "Other")

    assert "too few for an A/B test" in journal(factories.analysed(delivery))


def test_a_winner_that_comes_after_the_end_is_refused():
    delivery = factories.delivery(factories.people(6))
    factories.ab_test(delivery, "Other", wait=delivery.validity)

    assert "waits 5d for its winner, but the delivery may send until" in journal(factories.analysed(delivery))


def test_changing_a_variant_makes_the_analysis_stale():
    delivery = factories.delivery(factories.people(6))
    factories.ab_test(delivery, "Other")
    delivery = factories.analysed(delivery)
    assert not is_stale(delivery)

    Variant.objects.filter(letter="B").update(subject="Another")

    assert is_stale(delivery)


@pytest.mark.parametrize(
    ("values", "measure", "sentence"),
    [
        ({"track_individuals": False}, Measure.OPENS, "individual tracking is off"),
        ({"track_clicks": False}, Measure.CLICKS, "told by clicks, but tracking is off"),
        ({"track_opens": False}, Measure.OPENS, "told by opens, but opens tracking is off"),
    ],
)
def test_a_measure_that_nobody_can_see_is_a_warning(values, measure, sentence):
    delivery = factories.delivery(factories.people(6), **values)
    factories.ab_test(delivery, "Other", measure=measure)

    delivery = factories.analysed(delivery)

    assert delivery.current_state is DeliveryState.READY
    assert sentence in journal(delivery)
