"""The analysis: what it writes, what it finds, and that it is all or nothing."""

import pytest
from django.db import DatabaseError

from deliveries.actions.analyse import analyse as ask
from deliveries.actions.edit import STALE_NOTE, edited
from deliveries.analysis.fingerprint import is_stale
from deliveries.analysis.freeze import automatic_size
from deliveries.analysis.run import analyse, exclusion_counts
from deliveries.models import Content, Delivery, Level, Message, MessageValues, Part, PersonalizationBlock
from deliveries.states import DeliveryState
from recipients import quarantine
from recipients.denylist import deny
from recipients.models import ListMembership, Recipient, RecipientList
from tests.deliveries import factories

pytestmark = pytest.mark.django_db


def errors(delivery: Delivery) -> list[str]:
    return list(delivery.journal.filter(level=Level.ERROR).values_list("sentence", flat=True))


def test_it_writes_a_message_with_just_the_values_its_content_uses():
    delivery = factories.analysed(factories.delivery(factories.people(3)))

    assert delivery.current_state is DeliveryState.READY
    assert (delivery.population, delivery.to_deliver) == (3, 3)
    assert delivery.content is not None
    assert delivery.content.compiled["fields"] == [
        "recipient.language",
        "recipient.mail_format",
        "recipient.may_be_tracked",
        "recipient.first_name",
    ]
    messages = Message.objects.of_delivery(delivery.pk).order_by("pk")
    assert [message.number for message in messages] == [1, 2, 3]
    assert [message.delivery_id for message in messages] == [delivery.pk] * 3
    assert MessageValues.objects.get(pk=messages[0].pk).values == ["", "", True, "name1"]


def test_it_freezes_custom_attributes_with_their_type():
    from recipients.models import AttributeDefinition

    AttributeDefinition.objects.create(name="points", label="Points")
    target = factories.people(1)
    target.recipients.update(attributes={"points": 12})
    delivery = factories.delivery(target, text="You have {{ recipient.points|number }} points")

    factories.analysed(delivery)

    assert MessageValues.objects.get().values[-1] == 12


def test_a_small_delivery_has_parts_for_many_connections():
    made = factories.analysed(factories.delivery(factories.people(120)))

    assert list(made.parts.order_by("pk").values_list("size", flat=True)) == [50, 50, 20]
    assert [automatic_size(messages) for messages in (1, 2_000, 8_000, 20_000, 1_000_000)] == [50, 50, 200, 500, 500]


def test_it_counts_exclusions_by_reason():
    target = factories.people(5)
    second = RecipientList.objects.create(name="Second")
    first, denied, quarantined, *_ = target.recipients.order_by("pk")
    ListMembership.objects.create(list=second, recipient=first)
    deny(denied, source="test")
    quarantine.add(str(quarantined.address).upper(), reason="User unknown")
    ListMembership.objects.create(list=target, recipient=Recipient.objects.create(last_name="No address"))
    delivery = factories.delivery(target)
    delivery.target_lists.add(second)

    factories.analysed(delivery)

    assert exclusion_counts(delivery) == {"denylisted": 1, "duplicate": 1, "no_address": 1, "quarantined": 1}
    assert (delivery.population, delivery.to_deliver) == (7, 3)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"subject": " "}, "The subject is missing"),
        ({"sender_address": ""}, "The sender address is missing"),
        ({"sender_address": "news@@example"}, "Sender address:"),
        ({"html": "", "text": ""}, "The content is empty"),
        ({"html": "<p>\n{{ recipient.fist_name }}</p>"}, "line 2: Unknown field recipient.fist_name. Did you mean"),
        ({"subject": "{% if %}"}, "In the subject, line 1"),
        ({"html": "{% include 'greting' %}"}, "Did you mean greeting?"),
    ],
)
def test_it_says_what_is_wrong_and_writes_nothing(values, sentence):
    delivery = factories.analysed(factories.delivery(factories.people(2), **values))

    assert delivery.current_state is DeliveryState.ANALYSIS_FAILED
    assert any(sentence in error for error in errors(delivery)), errors(delivery)
    assert not Message.objects.exists()
    assert not Content.objects.exists()
    assert not Part.objects.exists()


def test_it_says_when_no_target_is_chosen():
    delivery = factories.analysed(factories.delivery())

    assert errors(delivery) == ["No target is chosen. Choose at least one list, query or file in the tab “Target”."]


def test_it_says_when_the_target_is_empty_and_why():
    target = factories.people(1)
    for recipient in target.recipients.all():
        deny(recipient, source="test")

    delivery = factories.analysed(factories.delivery(target))

    assert "everybody who is found is excluded (1 × Denylisted" in errors(delivery)[0]


def test_it_can_be_repeated_without_trace():
    delivery = factories.analysed(factories.delivery(factories.people(3)))
    first = delivery.content_id

    factories.analysed(delivery)

    assert delivery.content_id != first
    assert Content.objects.filter(delivery=delivery).count() == 1
    assert Message.objects.of_delivery(delivery.pk).count() == 3
    assert MessageValues.objects.count() == 3


def test_it_finds_the_analysis_stale_after_a_change_of_content():
    delivery = factories.analysed(factories.delivery(factories.people(1)))
    delivery.subject = "Other"
    delivery.save()

    edited(delivery)

    assert delivery.current_state is DeliveryState.EDITING
    assert delivery.state_note == STALE_NOTE


def test_it_finds_the_analysis_stale_after_a_change_of_target_or_block():
    delivery = factories.analysed(factories.delivery(factories.people(1)))
    assert not is_stale(delivery)

    delivery.target_lists.add(RecipientList.objects.create(name="More"))
    assert is_stale(delivery)

    delivery = factories.analysed(delivery)
    PersonalizationBlock.objects.filter(name="greeting").update(html="Hi")
    assert is_stale(delivery)


def test_it_does_nothing_for_a_delivery_that_nobody_asked_to_analyse():
    delivery = factories.delivery(factories.people(1))

    assert analyse(delivery.pk) is None
    assert Delivery.objects.get(pk=delivery.pk).current_state is DeliveryState.EDITING
    assert not Message.objects.exists()


def test_it_ends_in_a_sentence_when_the_database_refuses(monkeypatch):
    def refuse(*arguments: object) -> None:
        raise DatabaseError("deadlock detected")

    monkeypatch.setattr("deliveries.analysis.freeze.write_messages", refuse)
    delivery = factories.delivery(factories.people(1))
    ask(delivery)

    assert analyse(delivery.pk) is DeliveryState.ANALYSIS_FAILED
    delivery.refresh_from_db()
    assert "deadlock" not in errors(delivery)[0]
    assert "Try again" in errors(delivery)[0]


def test_it_stops_between_two_steps_when_somebody_stops_it_while_checks_run(monkeypatch):
    def stopped(material: object, phase: object) -> list[object]:
        Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.EDITING)
        return []

    delivery = factories.delivery(factories.people(1))
    ask(delivery)
    monkeypatch.setattr("deliveries.analysis.typology.findings", stopped)
    monkeypatch.setattr("deliveries.analysis.freeze.select_target", lambda _: pytest.fail("It went on."))

    assert analyse(delivery.pk) is None
    assert not Message.objects.exists()


def test_it_warns_of_messages_that_cannot_be_made():
    target = factories.people(2)
    target.recipients.filter(address="person2@example.org").update(first_name="Eve\nBcc: all@example.org")

    delivery = factories.analysed(factories.delivery(target))

    assert delivery.current_state is DeliveryState.READY
    warnings = delivery.journal.filter(level=Level.WARNING).exclude(sentence__contains="DKIM")
    assert "person2@example.org" in warnings.get().sentence


def test_it_asks_the_database_as_often_for_many_people_as_for_few(django_assert_num_queries):
    few = factories.delivery(factories.people(2))
    ask(few)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        analyse(few.pk)
    Recipient.objects.all().delete()
    many = factories.delivery(factories.people(200, on="Many"))
    ask(many)

    with django_assert_num_queries(len(captured)):
        analyse(many.pk)


def test_it_never_changes_a_frozen_content():
    delivery = factories.analysed(factories.delivery(factories.people(1)))

    with pytest.raises(DatabaseError, match="never changed"):
        Content.objects.filter(delivery=delivery).update(compiled={})
