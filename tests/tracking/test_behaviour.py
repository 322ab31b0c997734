"""Saved queries about opens and clicks."""

import pytest

from campaign.lib.clock import now
from deliveries.analysis.target import estimate
from deliveries.models import Delivery, Message
from deliveries.states import MessageState
from recipients.models import SavedQuery
from tests.deliveries import factories
from tracking.identity import event_id
from tracking.models import Event, EventKind, Origin, UserAgent, anonymous

pytestmark = pytest.mark.django_db


@pytest.fixture
def earlier() -> Delivery:
    """Sent to five people: 1 opened, 2 clicked, 3 looked at the mirror page, a machine opened for 4; 5 did nothing."""
    made = factories.confirmed(factories.delivery(factories.people(5)))
    Message.objects.of_delivery(made.pk).update(state=MessageState.SENT)
    one, two, three, four, _ = Message.objects.of_delivery(made.pk).order_by("pk")
    seen(one, EventKind.OPEN)
    seen(two, EventKind.CLICK)
    seen(two, EventKind.CLICK)
    seen(three, EventKind.MIRROR)
    seen(four, EventKind.OPEN, Origin.MACHINE)
    return made


def seen(message: Message, kind: EventKind, origin: Origin = Origin.PERSON, *, number: int | None = None) -> None:
    agent, _ = UserAgent.objects.get_or_create(text="Reader/1.0")
    Event.objects.create(
        id=event_id(int(now().timestamp() * 1000), Event.objects.count()),
        message_id=message.pk if number is None else number,
        content_id=message.content_id,
        at=now(),
        user_agent=agent,
        kind=kind,
        origin=origin,
    )


def query(field: str, operator: str, value: object) -> SavedQuery:
    item = {"field": field, "is": operator, "value": value}
    return SavedQuery.objects.create(name=field, definition={"match": "all", "items": [item]})


def found(field: str, operator: str, value: object) -> set[str]:
    """First names of those whom a query finds, as a delivery to them would."""
    made = factories.delivery()
    made.target_queries.add(query(field, operator, value))
    factories.analysed(made)
    made.refresh_from_db()
    names = Message.objects.of_delivery(made.pk).values_list("address", flat=True)
    assert estimate(made).to_deliver == len(names)
    return {name.removeprefix("person").partition("@")[0] for name in names}


@pytest.mark.parametrize(
    ("field", "people"),
    [
        ("did.opened", {"1", "2", "3"}),
        ("did.clicked", {"2"}),
        ("did.not_clicked", {"1", "3", "4", "5"}),
        ("did.ignored", {"4", "5"}),
    ],
)
def test_people_are_found_by_what_they_did_themselves(earlier: Delivery, field: str, people: set[str]):
    assert found(field, "delivery", str(earlier.pk)) == people


def test_they_are_found_in_the_deliveries_of_the_past_days_and_left_out_as_well(earlier: Delivery):
    assert found("did.opened", "not_past_days", 30) == {"4", "5"}


def test_who_got_nothing_did_not_ignore_it(earlier: Delivery):
    Message.objects.of_delivery(earlier.pk).filter(address="person5@example.org").update(state=MessageState.FAILED)

    assert found("did.ignored", "delivery", str(earlier.pk)) == {"4"}


def test_where_people_are_not_told_apart_nobody_is_said_to_have_done_nothing(earlier: Delivery):
    first = Message.objects.of_delivery(earlier.pk).order_by("pk")[0]
    Event.objects.all().delete()
    seen(first, EventKind.OPEN, number=anonymous(earlier.pk))
    made = factories.delivery()
    made.target_queries.add(query("did.ignored", "delivery", str(earlier.pk)))

    assert estimate(made).to_deliver == 0
