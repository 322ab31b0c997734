"""Deliveries that have left, as far as clicks and opens can tell."""

import re
from datetime import timedelta
from typing import Any

from campaign.lib.clock import now
from deliveries.models import Content, Delivery, Message
from deliveries.rows import message_row, renderer
from deliveries.states import DeliveryState, MessageState
from recipients.models import RecipientList
from tests.deliveries import factories

HTML = (
    '<html><body><a href="https://shop.example/a?x=1&amp;y=2">A</a> <a href="https://shop.example/b">B</a>'
    "<a href=\"https://shop.example/{{ recipient.first_name }}\">C</a>{% include 'mirror_link' %}</body></html>"
)


def sent(people: int = 1, **values: Any) -> Delivery:
    """A delivery whose messages left an hour ago."""
    target = RecipientList.objects.first() or factories.people(people)
    made = factories.analysed(factories.delivery(target, **{"html": HTML, **values}))
    assert made.content is not None, made.state_note
    return left(made)


def left(made: Delivery, *, seconds_ago: float = 3600) -> Delivery:
    """The same delivery, sent."""
    at = now() - timedelta(seconds=seconds_ago)
    if made.current_state is DeliveryState.READY:
        Delivery.objects.filter(pk=made.pk).update(state=DeliveryState.IN_PROGRESS)
    Delivery.objects.filter(pk=made.pk).update(state=DeliveryState.FINISHED, started_at=at)
    Message.objects.of_delivery(made.pk).update(state=MessageState.SENT, processed_at=at)
    made.refresh_from_db()
    return made


def messages(made: Delivery) -> list[Message]:
    """Its messages, in order."""
    return list(Message.objects.of_delivery(made.pk).select_related("content").order_by("pk"))


def paths(message: Message) -> list[str]:
    """The paths of the tracked links of a message's HTML, in order, and the pixel's last."""
    html = renderer(message.content_id).html(message_row(message))
    return re.findall(r'(?:href|src)="http://testserver(/[co]/[a-z0-9]+)"', html)


def content_of(made: Delivery) -> Content:
    """Its frozen content."""
    assert made.content is not None
    return made.content
