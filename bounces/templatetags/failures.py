"""What failed for one person, for the person's page."""

from dataclasses import dataclass
from datetime import datetime

from django import template

from deliveries.models import Delivery, Message
from deliveries.sending.verdict import Reason
from recipients.models import Quarantine, Recipient

register = template.Library()

MOST = 20


@dataclass(frozen=True, slots=True)
class Failed:
    """A message to the person that failed at least once."""

    delivery_id: int
    delivery: str
    at: datetime | None
    type: str
    reason: str
    words: str


@register.simple_tag
def failures_of(recipient: Recipient) -> list[Failed]:
    """The latest messages to this person that failed, by the index on recipients: two queries."""
    found = list(Message.objects.filter(recipient_id=recipient.pk, failure_type__isnull=False).order_by("-pk")[:MOST])
    labels = dict(Delivery.objects.filter(pk__in={each.delivery_id for each in found}).values_list("pk", "label"))
    return [
        Failed(
            each.delivery_id,
            labels.get(each.delivery_id, ""),
            each.processed_at,
            each.failure_type or "",
            Reason(each.reason or 0).label,
            each.reply or "",
        )
        for each in found
    ]


@register.simple_tag
def record_of(recipient: Recipient) -> Quarantine | None:
    """What is known of the person's address; None when it never failed."""
    return Quarantine.objects.filter(address_key=recipient.address_key).first() if recipient.address_key else None
