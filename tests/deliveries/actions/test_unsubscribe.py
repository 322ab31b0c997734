"""Unsubscribing: from a service, from everything, by mail, and taken back."""

from datetime import timedelta

import pytest

from campaign.lib.clock import now, running_on
from campaign.lib.signing import RETURN, UNSUBSCRIBE_BY_MAIL, return_token
from deliveries.actions.unsubscribe import (
    MISTAKE_WITHIN,
    choices_of,
    choose,
    undo,
    unsubscribe,
    unsubscribing,
    wishes_of,
)
from deliveries.models import Message
from recipients import denylist, erased
from recipients.models import ConsentEvent, Denylist, ErasedWish, Recipient, Service, Subscription
from tests.deliveries import factories

pytestmark = pytest.mark.django_db


def message_of(consent_service: Service | None = None) -> Message:
    """A message of a confirmed delivery to one person, who has the service that the delivery is for."""
    target = factories.people(1)
    if consent_service is not None:
        Subscription.objects.create(service=consent_service, recipient=Recipient.objects.get(), source="form")
    delivery = factories.confirmed(factories.delivery(target, consent_service=consent_service))
    return Message.objects.of_delivery(delivery.pk).select_related("content").get()


def service(name: str = "Weekly") -> Service:
    return Service.objects.create(name=name)


def history() -> list[tuple[str, str, str]]:
    """Subject, service and state of every line, the first first."""
    return list(ConsentEvent.objects.order_by("pk").values_list("subject", "service_name", "state"))


def mailbox(message: Message, purpose: bytes = UNSUBSCRIBE_BY_MAIL) -> str:
    return f"bounces+{return_token(message.pk, bytes(message.content.key), purpose)}@example.com"


def test_it_puts_the_person_on_the_denylist_when_the_delivery_is_for_no_service():
    message = message_of()

    unsubscribe(message, source="here")
    unsubscribe(message, source="here")

    assert Denylist.objects.get().source == f"here, delivery {message.delivery_id}"
    assert history() == [("all", "", "withdrawn")]
    assert ConsentEvent.objects.get().message_id == message.pk


def test_it_ends_the_subscription_that_the_delivery_is_for_and_no_other():
    weekly, daily = service(), service("Daily")
    message = message_of(consent_service=weekly)
    Subscription.objects.create(service=daily, recipient=Recipient.objects.get())

    unsubscribe(message, source="here")

    assert not Denylist.objects.exists()
    assert Subscription.objects.get(service=weekly).withdrawn_at is not None
    assert Subscription.objects.get(service=daily).withdrawn_at is None
    assert history() == [("service", "Weekly", "withdrawn")]


def test_it_ends_everything_when_asked_to():
    message = message_of(consent_service=service())

    unsubscribe(message, source="here", everything=True)

    assert Denylist.objects.exists()
    assert wishes_of(message).gets_service


def test_it_takes_back_a_mistake_once_and_for_a_day_only():
    message = message_of()
    unsubscribe(message, source="here")
    much_later = now() + MISTAKE_WITHIN + timedelta(hours=1)
    with running_on(lambda: much_later):
        assert not undo(message)

    assert wishes_of(message).may_undo
    assert undo(message)
    assert not undo(message)

    assert not Denylist.objects.exists()
    assert [state for _, _, state in history()] == ["withdrawn", "given"]


def test_it_takes_back_the_end_of_a_subscription():
    message = message_of(consent_service=service())
    unsubscribe(message, source="here")

    assert undo(message)

    assert Subscription.objects.get().withdrawn_at is None


def test_it_does_not_take_back_what_was_said_elsewhere():
    message = message_of()
    denylist.deny(Recipient.objects.get(), source="phone")

    assert not undo(message)
    assert Denylist.objects.exists()


def test_it_offers_the_public_services_that_the_person_has_or_had():
    message = message_of(consent_service=service())
    recipient = Recipient.objects.get()
    for name, is_public in (("Daily", True), ("Internal", False)):
        made = Service.objects.create(name=name, is_public=is_public)
        Subscription.objects.create(service=made, recipient=recipient, withdrawn_at=now())
    Service.objects.create(name="Never had")

    assert [(choice.service.name, choice.has_it) for choice in choices_of(recipient)] == [
        ("Daily", False),
        ("Weekly", True),
    ]

    hidden = Service.objects.get(name="Internal")
    choose(message, recipient, {Service.objects.get(name="Daily").pk, hidden.pk})

    assert {row.service.name: row.withdrawn_at is None for row in Subscription.objects.all()} == {
        "Daily": True,
        "Weekly": False,
        "Internal": False,
    }


def test_it_writes_again_to_somebody_who_chooses_a_service_after_having_left_everything():
    weekly = service()
    message = message_of(consent_service=weekly)
    unsubscribe(message, source="here", everything=True)

    choose(message, Recipient.objects.get(), {weekly.pk})

    assert not Denylist.objects.exists()


def test_it_keeps_the_wish_of_somebody_whose_profile_is_gone():
    message = message_of()
    Recipient.objects.all().delete()

    unsubscribe(message, source="here")

    assert bytes(ErasedWish.objects.get().digest) != message.address.encode()
    back = Recipient.objects.create(address="PERSON1@example.org")
    assert erased.watched([back.address_key or ""]) == 1
    assert Denylist.objects.get().recipient == back


def test_it_knows_the_mail_that_unsubscribes_whatever_gateways_make_of_the_address():
    message = message_of()

    found = unsubscribing(["someone@example.com", f"prvs=0123456789={mailbox(message).upper()}"])

    assert found == message


def test_it_takes_the_identifier_from_the_subject_where_the_address_names_none():
    message = message_of()
    own = return_token(message.pk, bytes(message.content.key), UNSUBSCRIBE_BY_MAIL)

    assert unsubscribing(["bounces@example.com"], f"Re: unsubscribe {own}") == message


@pytest.mark.parametrize("address", [f"{'a' * 32}@example.com", f"{'7' * 32}@example.com", "", "@", "ü" * 32])
def test_it_takes_no_made_up_address_for_an_unsubscription(address: str):
    message_of()

    assert unsubscribing([address], "unsubscribe") is None


def test_it_takes_no_bounce_for_an_unsubscription():
    message = message_of()

    assert unsubscribing([mailbox(message, RETURN)], "unsubscribe") is None
