"""Events go when they are old; those of a person who was erased say no more where they were."""

from datetime import timedelta

import pytest

from campaign.lib.clock import now
from deliveries.actions.personal_data import ask_for_erasure, carry_out, gathered, person_at
from deliveries.models import Message
from tests.deliveries.factories import confirmed, delivery, people
from tracking.identity import event_id
from tracking.keeping import purge_events
from tracking.models import Event, EventKind, UserAgent

pytestmark = pytest.mark.django_db


def event(message: Message, age: timedelta = timedelta(0)) -> Event:
    at = now() - age
    agent, _ = UserAgent.objects.get_or_create(text="Reader/1.0")
    return Event.objects.create(
        id=event_id(int(at.timestamp() * 1000), message.number),
        message_id=message.pk,
        content_id=message.content_id,
        at=at,
        user_agent=agent,
        kind=EventKind.OPEN,
        network="192.0.2.0",
    )


def test_it_deletes_old_events_by_their_key():
    made = confirmed(delivery(people(3)))
    first, second, third = Message.objects.of_delivery(made.pk).order_by("pk")
    for message, age in ((first, timedelta(days=40)), (second, timedelta(days=31)), (third, timedelta(days=29))):
        event(message, age)

    assert [purge_events(now() - timedelta(days=30), 1) for _ in range(3)] == [1, 1, 0]

    assert Event.objects.get().message_id == third.pk


def test_it_exports_and_erases_what_was_seen_of_one_person():
    made = confirmed(delivery(people(2)))
    own, other = Message.objects.of_delivery(made.pk).order_by("pk")
    event(own)
    event(other)
    person = person_at(own.address)

    [seen] = gathered(person)["tracking"]["events"]
    carry_out(ask_for_erasure(person).pk)

    assert (seen["kind"], seen["network"], seen["user_agent"]) == ("Open", "192.0.2.0", "Reader/1.0")
    assert Event.objects.get(message_id=own.pk).network is None
    assert Event.objects.get(message_id=other.pk).network == "192.0.2.0"
