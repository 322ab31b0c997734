"""Deliveries for tests, as people would make them: small, complete, ready for the act under test."""

from campaign.lib.clock import now
from deliveries.actions.analyse import analyse as ask
from deliveries.actions.confirm import confirm, warnings_of
from deliveries.analysis.material import Material
from deliveries.analysis.run import analyse
from deliveries.analysis.source import compile_properties
from deliveries.analysis.typology import complete
from deliveries.builtin import block_values
from deliveries.models import (
    LETTERS,
    AbTest,
    CheckLevel,
    Delivery,
    Message,
    PersonalizationBlock,
    Route,
    Typology,
    Variant,
    message_range,
)
from deliveries.sending import parts
from deliveries.sending.outcomes import NO_ANSWER
from deliveries.sending.worker import Worker
from deliveries.states import MessageState, PartState
from recipients.models import ListMembership, Recipient, RecipientList

HTML = (
    "<!doctype html>\n<html><body><p>Hello {{ recipient.first_name|proper }} &amp; welcome,</p>\n"
    "<p><a href=\"https://www.example.com/\">Read</a> {% include 'mirror_link' %} {% include 'unsubscribe_link' %}</p>"
    "</body></html>\n"
)


def builtin_blocks() -> None:
    """What migrations write, which the flush after a test with real transactions takes away."""
    for values in block_values():
        PersonalizationBlock.objects.get_or_create(name=values["name"], defaults=values)


def people(count: int, *, on: str = "Readers", first: int = 1) -> RecipientList:
    """``count`` recipients person1@example.org … on a list, counted from ``first``."""
    recipients = [
        Recipient(
            address=f"person{number}@example.org", address_key=f"person{number}@example.org", first_name=f"name{number}"
        )
        for number in range(first, first + count)
    ]
    Recipient.objects.bulk_create(recipients)
    chosen, _ = RecipientList.objects.get_or_create(name=on)
    ListMembership.objects.bulk_create(ListMembership(list=chosen, recipient=recipient) for recipient in recipients)
    return chosen


def route(port: int = 9) -> Route:
    """The default route, to a port of the loopback."""
    route, _ = Route.objects.update_or_create(
        name="Test", defaults={"host": "127.0.0.1", "port": port, "is_default": True}
    )
    return route


def delivery(target: RecipientList | None = None, **values: object) -> Delivery:
    """A complete delivery that is being edited."""
    route_exists = Route.objects.filter(is_default=True).exists()
    if not route_exists:
        route()
    defaults = {
        "label": "Spring news",
        "subject": "News for {{ recipient.first_name }}",
        "sender_name": "Example News",
        "sender_address": "news@example.com",
        "html": HTML,
        "max_retries": 0,  # a test about retries says so
    }
    made = Delivery.objects.create(**{**defaults, **values})
    if target is not None:
        made.target_lists.add(target)
    return made


def unchecked(made: Delivery) -> Delivery:
    """The delivery with a typology in which every check that can be is off: its analysis warns of nothing."""
    made.typology = Typology.objects.create(name="Nothing to check")
    made.save()
    complete(made.typology)
    made.typology.checks.update(level=CheckLevel.OFF)
    return made


def ab_test(made: Delivery, *subjects: str, **values: object) -> AbTest:
    """An A/B test of the delivery: A as it is, then a variant for each subject."""
    test = AbTest.objects.create(delivery=made, **values)
    Variant.objects.create(test=test, letter="A")
    for letter, subject in zip(LETTERS[1:], subjects, strict=False):
        Variant.objects.create(test=test, letter=letter, subject=subject)
    return test


def analysed(made: Delivery) -> Delivery:
    """The delivery after its analysis, run here instead of in a worker."""
    ask(made)
    analyse(made.pk)
    made.refresh_from_db()
    return made


def material(made: Delivery) -> Material:
    """What checks look at before there are messages."""
    return Material(made, compile_properties(made))


def tried(made: Delivery) -> Material:
    """What checks look at once the messages are written."""
    ready = analysed(made)
    assert ready.content is not None, ready.state_note
    return Material(ready, compile_properties(ready), ready.content, ready.to_send)


def confirmed(made: Delivery) -> Delivery:
    """The delivery after analysis and confirmation; nothing has been sent yet."""
    return accepted(analysed(made))


def accepted(made: Delivery) -> Delivery:
    """A delivery that is ready, after somebody acknowledged every warning and confirmed it."""
    confirm(made, acknowledged=[line.pk for line in warnings_of(made)])
    return made


def doubtful(made: Delivery, *numbers: int) -> Delivery:
    """A delivery that is confirmed after everything was sent, the messages of these numbers with no answer."""
    messages = Message.objects.of_delivery(made.pk)
    first, _ = message_range(made.pk)
    messages.update(state=MessageState.SENT, reply="250 OK", processed_at=now())
    chosen = messages.filter(pk__in=[first + number for number in numbers])
    chosen.update(state=MessageState.IN_DOUBT, reply=NO_ANSWER)
    made.parts.update(state=PartState.DONE)
    parts.count(list(made.parts.values_list("pk", flat=True)))
    parts.finish_deliveries()
    made.refresh_from_db()
    return made


def send(worker: Worker, made: Delivery) -> Delivery:
    """Let a worker send what is open."""
    while worker.step():
        pass
    made.refresh_from_db()
    return made


def states(made: Delivery) -> list[int]:
    """States of the delivery's messages, in order."""
    return list(Message.objects.of_delivery(made.pk).order_by("pk").values_list("state", flat=True))
