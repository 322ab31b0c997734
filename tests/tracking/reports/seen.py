"""Deliveries that were sent, opened and clicked, with their figures counted."""

from datetime import UTC, datetime, timedelta

from campaign.lib.clock import now
from deliveries.models import Delivery, Message, Part
from deliveries.states import DeliveryState, MessageState
from recipients.models import RecipientList
from tests.deliveries import factories
from tracking.figures.events import count_events
from tracking.figures.log import count_log
from tracking.models import Device, Event, EventKind, Origin, UserAgent

AT = datetime(2026, 11, 27, 9, 20, tzinfo=UTC)
SHOP, ALSO_SHOP, NEWS = 1, 2, 3
HTML = (
    '<html><body><a href="https://shop.example/?a=1&amp;b=2">Shop</a> <a href="https://shop.example/?a=1&amp;b=2"><img '
    'src="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==" '
    'alt="Picture of the shop"></a> {% if recipient.first_name %}<a '
    "href=\"https://news.example/\">News</a>{% endif %}{% include 'unsubscribe_link' %}</body></html>"
)
EVENTS = (
    # number, kind, link, origin, hours later
    (1, EventKind.OPEN, 0, Origin.PERSON, 0),
    (1, EventKind.OPEN, 0, Origin.PERSON, 2),
    (1, EventKind.CLICK, SHOP, Origin.PERSON, 2),
    (2, EventKind.CLICK, ALSO_SHOP, Origin.PERSON, 2),
    (2, EventKind.CLICK, NEWS, Origin.PERSON, 2),
    (3, EventKind.OPEN, 0, Origin.PERSON, 0),
    (3, EventKind.CLICK, NEWS, Origin.MACHINE, 0),
    (4, EventKind.OPEN, 0, Origin.MACHINE, 0),
    (4, EventKind.OPEN, 0, Origin.ARCHIVE, 0),
)
"""Three opened, two of them clicked; machines add one of each."""


def seen(label: str = "Spring news", *, first_event: int = 1, agent: str = "Safari", html: str = HTML) -> Delivery:
    """Four messages: all sent; see :data:`EVENTS`."""
    readers = RecipientList.objects.first() or factories.people(4)
    made = factories.analysed(factories.delivery(readers, label=label, html=html))
    assert made.content is not None, made.state_note
    Delivery.objects.filter(pk=made.pk).update(state=DeliveryState.IN_PROGRESS)
    Delivery.objects.filter(pk=made.pk).update(
        state=DeliveryState.FINISHED, started_at=now() - timedelta(hours=9), finished_at=now()
    )
    messages = Message.objects.of_delivery(made.pk)
    messages.update(state=MessageState.SENT, processed_at=AT)
    Part.objects.filter(delivery_id=made.pk).update(sent=4)
    made.refresh_from_db()
    program, _ = UserAgent.objects.get_or_create(
        text=agent, defaults={"device": Device.PHONE, "browser": agent[:60], "system": "iOS"}
    )
    first = made.pk << 32
    Event.objects.bulk_create(
        Event(
            id=first_event + place,
            message_id=first + number,
            content=made.content,
            at=AT + timedelta(hours=hours),
            user_agent=program,
            link=link,
            kind=kind,
            origin=origin,
        )
        for place, (number, kind, link, origin, hours) in enumerate(EVENTS)
    )
    count_events()
    count_log(made, "")
    return made
