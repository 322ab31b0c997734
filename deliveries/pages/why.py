"""Why did this person (not) get it: one screen for any recipient or address and any delivery."""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from campaign import ui
from campaign.lib.primary_keys import primary_keys
from deliveries.analysis.why import explain
from deliveries.models import Delivery, Exclusion, ExclusionReason, Message
from deliveries.pages.people import ids_by_address, typed_address
from deliveries.rights import may_view_deliveries
from deliveries.states import MessageState
from recipients.models import Recipient

LATEST = 200
"""Deliveries that can be chosen; any other is reached from its own page."""

MOST = 100
"""Messages and exclusions of a person that are listed."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A delivery that knows the person, and what became of it."""

    delivery: Delivery
    words: str


def why_page(request: HttpRequest) -> HttpResponse:
    """Ask by address and delivery; without a delivery all that know the person are listed."""
    if not may_view_deliveries(request.user):
        raise PermissionDenied
    address = typed_address(request)
    recipient = _recipient(request.GET.get("recipient", ""), address)
    delivery = _delivery(request.GET.get("delivery", ""))
    asked = bool(recipient or address)
    latest = list(Delivery.objects.order_by("-pk").only("label", "created_at")[:LATEST])
    if delivery is not None and delivery not in latest:
        latest.append(delivery)
    return ui.page(
        request,
        "deliveries/why.html",
        title="Why did this person (not) get it?",
        address=address or (recipient.address if recipient else ""),
        recipient=recipient,
        delivery=delivery,
        deliveries=latest,
        asked=asked,
        answer=explain(delivery, recipient, address) if delivery is not None and asked else None,
        traces=_traces(recipient) if recipient is not None and delivery is None else [],
    )


def _recipient(number: str, address: str) -> Recipient | None:
    """By address as somebody typed it, else by primary key."""
    if address:
        return Recipient.objects.filter(pk__in=ids_by_address(address)[:1]).first()
    return Recipient.objects.filter(pk__in=primary_keys([number])).first()


def _delivery(number: str) -> Delivery | None:
    chosen = Delivery.objects.select_related("target_file", "consent_service")
    return chosen.filter(pk__in=primary_keys([number])).first()


def _traces(recipient: Recipient) -> list[Trace]:
    messages = Message.objects.filter(recipient_id=recipient.pk).order_by("-pk")[:MOST]
    words = {message.delivery_id: MessageState(message.state).label for message in reversed(messages)}
    exclusions = Exclusion.objects.filter(recipient_id=recipient.pk).order_by("-pk")[:MOST]
    for delivery_id, reason in exclusions.values_list("delivery_id", "reason"):
        words.setdefault(delivery_id, f"Left out: {ExclusionReason(reason).label}")
    found = Delivery.objects.filter(pk__in=words).order_by("-pk")
    return [Trace(delivery, words[delivery.pk]) for delivery in found]
