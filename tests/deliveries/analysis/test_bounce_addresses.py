"""Error and investigation addresses of a whole delivery."""

import pytest
from django.conf import LazySettings

from campaign.lib.clock import now
from deliveries.identifiers import UnknownMessage, find_returned
from deliveries.models import Delivery, Level, Message, MessageValues
from deliveries.rows import investigation_address, pending_rows, renderer
from deliveries.sending import parts
from deliveries.states import DeliveryState
from recipients.models import Recipient
from tests.deliveries.factories import analysed, confirmed, delivery, people

pytestmark = pytest.mark.django_db


def sentences(made: Delivery, level: Level) -> list[str]:
    return list(made.journal.filter(level=level).values_list("sentence", flat=True))


@pytest.mark.parametrize(("ticked", "expected"), [(True, "bounces@example.com"), (False, "own@example.com")])
def test_it_uses_the_platforms_error_address_unless_the_box_is_unticked(ticked: bool, expected: str) -> None:
    made = analysed(delivery(people(1), default_error_address=ticked, error_address="own@example.com"))

    assert made.content is not None
    assert made.content.compiled["error_address"] == expected


def test_it_counts_the_messages_whose_error_address_is_none_and_lets_the_others_leave() -> None:
    target = people(5)
    Recipient.objects.filter(address="person2@example.org").update(last_name="no address")
    made = analysed(
        delivery(
            target,
            default_error_address=False,
            error_address="{% if recipient.last_name %}{{ recipient.last_name }}{% else %}own@example.com{% endif %}",
        )
    )

    assert made.current_state is DeliveryState.READY
    [warning] = [
        text for text in sentences(made, Level.WARNING) if "error address" in text.lower() and "tried" not in text
    ]
    assert warning.startswith("1 messages, such as the one to person2@example.org: The error address is not an e-mail")


def test_it_refuses_a_domain_that_the_platform_does_not_allow(settings: LazySettings) -> None:
    settings.BOUNCE_DOMAINS = ("example.com",)
    target = people(3)
    Recipient.objects.filter(address="person2@example.org").update(last_name="elsewhere.example")
    made = analysed(
        delivery(
            target,
            default_error_address=False,
            error_address="own@{% if recipient.last_name %}{{ recipient.last_name }}{% else %}example.com{% endif %}",
            investigation_address="team@other.example",
        )
    )

    assert made.current_state is DeliveryState.ANALYSIS_FAILED
    errors = " ".join(sentences(made, Level.ERROR))
    assert (
        "1 messages, such as the one to person2@example.org: The error address may not be at elsewhere.example"
        in errors
    )
    assert "The investigation address may not be at other.example. Allowed: example.com." in errors


def test_it_judges_an_address_that_is_the_same_for_all_once() -> None:
    made = analysed(delivery(people(2), default_error_address=False, error_address=f"{'b' * 40}@example.com"))

    assert made.current_state is DeliveryState.ANALYSIS_FAILED
    assert [text for text in sentences(made, Level.ERROR) if "leaves no room" in text]


def test_it_finds_the_message_that_a_bounce_comes_back_for_and_nothing_for_a_made_up_address() -> None:
    made = confirmed(delivery(people(3)))
    part = parts.claim("me", now())
    assert part is not None
    senders = {row.id: renderer(content_id).mail(row).sender for content_id, row in pending_rows(part)}

    for pk, sender in senders.items():
        assert find_returned(sender).pk == pk
        assert find_returned(sender.upper()).pk == pk
    assert made.to_deliver == len(set(senders.values())) == 3
    some = next(iter(senders.values()))
    forged = some.replace("bounces+", "bounces+b")[: len("bounces+") + 32] + "@example.com"
    for address in (forged, "bounces@example.com", "", "someone@example.com"):
        with pytest.raises(UnknownMessage):
            find_returned(address)


def test_it_knows_the_investigation_address_of_a_message_later(settings: LazySettings) -> None:
    settings.INVESTIGATION_ADDRESS = "platform@example.com"
    made = confirmed(delivery(people(1), investigation_address="{{ recipient.first_name }}@example.com"))
    message = Message.objects.of_delivery(made.pk).get()

    assert investigation_address(message) == "name1@example.com"

    MessageValues.objects.all().delete()
    assert investigation_address(message) == "platform@example.com"
