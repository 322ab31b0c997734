"""Unsubscribe: what a person does by a button, their mail program by one click, or a mail."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from campaign.lib.clock import now
from deliveries.identifiers import Lookup, UnknownMessage, find_unsubscribing, look_up
from deliveries.models import Delivery, Message
from recipients import denylist, erased, subscriptions
from recipients.addresses import AddressError, key
from recipients.history import Origin
from recipients.models import Consent, ConsentEvent, ConsentSubject, Denylist, Recipient, Service, Subscription

PAGE = "unsubscription page"
ONE_CLICK = "one-click unsubscription of a mail program"
MAIL = "mail to the unsubscription address"
MISTAKE = "undone on the unsubscription page"
PREFERENCES = "preferences page"

MISTAKE_WITHIN = timedelta(days=1)
"""So long the person can take an unsubscription back by the message it came from."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A service on the preferences page."""

    service: Service
    has_it: bool


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the person stands to whom a message went. ``recipient`` is ``None`` for a proof and once the profile is
    gone."""

    recipient: Recipient | None
    service: Service | None
    """What the delivery was for; ``None``: nothing in particular."""
    gets_service: bool
    is_denied: bool
    may_undo: bool


def wishes_of(message: Message) -> Wishes:
    """The person's present wishes, as far as they concern this message."""
    service = _service_of(message)
    recipient = _recipient_of(message)
    if recipient is None:
        return Wishes(None, service, gets_service=False, is_denied=False, may_undo=False)
    gets_service = service is not None and service.pk in subscriptions.standing(recipient)
    is_denied = Denylist.objects.filter(recipient=recipient).exists()
    return Wishes(recipient, service, gets_service, is_denied, may_undo=_last_by(message, recipient) is not None)


@transaction.atomic
def unsubscribe(message: Message, *, source: str, everything: bool = False) -> None:
    """End the subscription that the message's delivery was for; where it was for none, or with ``everything``, put the
    person on the denylist. Doing it again changes nothing.

    What has not left yet for that person does not leave. The wish of somebody whose profile is gone is kept as a keyed
    hash. A proof belongs to nobody, so nothing happens.
    """
    recipient = _recipient_of(message)
    service = _service_of(message)
    if recipient is None:
        _keep_wish_without_profile(message, source)
    elif service is not None and not everything:
        subscriptions.unsubscribe(recipient, service, _origin(message, source))
    else:
        denylist.deny(recipient, source=_told(message, source), message_id=message.pk)


@transaction.atomic
def undo(message: Message) -> bool:
    """Take back what was done by this message within :data:`MISTAKE_WITHIN`; returns whether there was something.

    Later wishes of the person stay.
    """
    recipient = _recipient_of(message)
    event = _last_by(message, recipient) if recipient is not None else None
    if recipient is None or event is None:
        return False
    if event.subject == ConsentSubject.ALL:
        return denylist.allow(recipient, source=_told(message, MISTAKE), message_id=message.pk)
    service = Service.objects.filter(pk=event.service_id or 0).first()
    return service is not None and subscriptions.subscribe(recipient, service, _origin(message, MISTAKE))


def choices_of(recipient: Recipient) -> list[Choice]:
    """The public services that the person has or had, by name."""
    rows = Subscription.objects.filter(recipient=recipient, service__is_public=True).select_related("service")
    return [Choice(row.service, row.withdrawn_at is None) for row in rows.order_by("service__name")]


@transaction.atomic
def choose(message: Message, recipient: Recipient, wanted: Collection[int]) -> None:
    """Let the person have those of their services that ``wanted`` names, and none of the others that they may choose.

    Who chooses a service wants mails: the denylist no longer holds them back.
    """
    origin = _origin(message, PREFERENCES)
    choices = choices_of(recipient)
    if any(choice.service.pk in wanted for choice in choices):
        denylist.allow(recipient, source=origin.source, message_id=message.pk)
    for choice in choices:
        act = subscriptions.subscribe if choice.service.pk in wanted else subscriptions.unsubscribe
        act(recipient, choice.service, origin)


def unsubscribing(addresses: Iterable[str], subject: str = "", look: Lookup = look_up) -> Message | None:
    """The message to whose ``mailto:`` address a mail program wrote to unsubscribe its person (source :data:`MAIL`).

    ``addresses`` are those that the mail was delivered to (``Delivered-To``, ``X-Original-To``, ``To``), in any case
    and with whatever gateways put around them; whoever sent it does not matter, because the address is signed.
    ``None``: the mail is no unsubscription (a bounce, for example).
    """
    for address in addresses:
        try:
            return find_unsubscribing(address, subject, look)
        except UnknownMessage:
            continue
    return None


def _recipient_of(message: Message) -> Recipient | None:
    return Recipient.objects.filter(pk=message.recipient_id).first() if message.recipient_id is not None else None


def _service_of(message: Message) -> Service | None:
    delivery = Delivery.objects.select_related("consent_service").filter(pk=message.delivery_id).first()
    return delivery.consent_service if delivery is not None else None


def _last_by(message: Message, recipient: Recipient) -> ConsentEvent | None:
    """The latest line of the history, when it is a withdrawal by this message that is not old."""
    latest = ConsentEvent.objects.filter(recipient=recipient).order_by("-pk").first()
    if latest is None or latest.message_id != message.pk or latest.state != Consent.WITHDRAWN:
        return None
    return latest if latest.at >= now() - MISTAKE_WITHIN else None


def _keep_wish_without_profile(message: Message, source: str) -> None:
    if message.recipient_id is None:
        return
    try:
        erased.remember(key(message.address), source=_told(message, source))
    except AddressError:
        return


def _told(message: Message, source: str) -> str:
    return f"{source}, delivery {message.delivery_id}"


def _origin(message: Message, source: str) -> Origin:
    return Origin(_told(message, source), message_id=message.pk)
