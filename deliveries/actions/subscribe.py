"""Subscribe with a double opt-in: somebody asks, the address gets a mail, and only its link subscribes."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.db import connection, transaction
from django.db.models import F, Value
from django.urls import reverse

from campaign.lib.clock import now
from campaign.lib.hints import hint_after_commit
from deliveries.sending import own_mail
from deliveries.sending.own_mail import OwnMail
from recipients import addresses, denylist, erased, subscriptions
from recipients.history import Origin
from recipients.models import HELD_BACK, Denylist, Quarantine, Recipient, Service, SubscriptionRequest
from recipients.models.service import mailbox_of
from recipients.words import words

logger = logging.getLogger(__name__)

VALID: Final = timedelta(days=7)
"""So long the link in the mail can be followed."""

REST: Final = timedelta(hours=1)
"""So long a mailbox gets no second mail, whatever services and sub-addresses are asked for."""

MOST_PER_MAILBOX: Final = 3
"""Mails to one mailbox within :data:`VALID`, so that nobody can be flooded by others."""

HOUR: Final = timedelta(hours=1)
NEARLY: Final = 0.8
"""From this share of the installation's limit on, operators are warned."""

RESTS: Final = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""Before the second attempt to send a mail, the third and the fourth; then it is given up."""


class TooMany(Exception):
    """All forms together have sent as many mails in this hour as ``SUBSCRIPTION_MAILS_AN_HOUR`` allows."""


class LinkExpired(Exception):
    """The link is too old, or was never one of ours."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the page behind the link asks."""

    request: SubscriptionRequest
    is_denied: bool
    """The person had asked for no mails at all."""


@transaction.atomic
def ask(service: Service, address: str, language: str) -> bool:
    """Have a mail with a link sent to an address; returns whether one is, which the person who asks is never told.

    None is when the mailbox had one lately, or when the address is known to fail. Raises
    :class:`recipients.addresses.AddressError` and, whatever the address, :class:`TooMany`.
    """
    address = addresses.unquoted(addresses.normalise(address))  # else one mailbox could be written in endless ways
    key, at = addresses.key(address), now()
    with connection.cursor() as cursor:  # two requests at a time would both find that there was none
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('subscribe'))")
    _check_hour(at)
    if not _may_be_sent(key, at):
        return False
    request = SubscriptionRequest.objects.create(
        service=service,
        address=address,
        address_key=key,
        language=language,
        asked_at=at,
        next_attempt_at=at,
    )
    hint_after_commit("deliveries.tasks.send_confirmation", request.pk)
    return True


def asked_in(hour_before: datetime) -> int:
    """Mails that the forms of all services sent, or are about to send, in the hour before a moment."""
    return SubscriptionRequest.objects.filter(asked_at__gt=hour_before - HOUR).count()


def warned_from() -> int:
    """Mails in an hour from which on operators are warned."""
    return ceil(settings.SUBSCRIPTION_MAILS_AN_HOUR * NEARLY)


def _check_hour(at: datetime) -> None:
    """Raises :class:`TooMany` where the installation's limit is reached; the log is warned of it, and before it."""
    most, asked = settings.SUBSCRIPTION_MAILS_AN_HOUR, asked_in(at)
    if asked >= most:
        logger.error("Subscription forms are shut: %s mails in an hour, as many as are allowed.", asked)
        raise TooMany
    if asked == warned_from():
        logger.warning("Subscription forms have asked for %s mails in an hour; at %s they are shut.", asked, most)


def _may_be_sent(key: str, at: datetime) -> bool:
    same = SubscriptionRequest.objects.filter(mailbox=mailbox_of(Value(key)))
    asked = list(same.values_list("asked_at", flat=True))
    if len(asked) >= MOST_PER_MAILBOX or any(when > at - REST for when in asked):
        return False
    return not Quarantine.objects.filter(address_key=key, status__in=HELD_BACK).exists()


def waiting() -> list[int]:
    """Requests whose mail has to leave now, because its hint was lost or an attempt failed."""
    return list(
        SubscriptionRequest.objects.filter(next_attempt_at__lte=now()).order_by("pk").values_list("pk", flat=True)
    )


def send(request_id: int) -> bool:
    """Send the mail of a request whose turn it is; returns whether a server took it.

    A process that dies between the server's answer and its record sends it once more.
    """
    at = now()
    due = SubscriptionRequest.objects.filter(pk=request_id, next_attempt_at__lte=at)
    if not due.update(next_attempt_at=at + RESTS[0], attempts=F("attempts") + 1):
        return False
    request = SubscriptionRequest.objects.select_related("service").get(pk=request_id)
    own = SubscriptionRequest.objects.filter(pk=request_id)
    sentence = own_mail.send(request.pk, confirmation(request), at)
    if not sentence:
        own.update(next_attempt_at=None, sent_at=now(), sentence="")
        return True
    logger.warning("The confirmation mail of request %s was not sent: %s", request_id, sentence)
    again = at + RESTS[request.attempts - 1] if request.attempts <= len(RESTS) else None
    own.update(next_attempt_at=again, sentence=sentence)
    return False


def confirmation(request: SubscriptionRequest) -> OwnMail:
    """The mail with the link."""
    service, said = request.service, words([request.language])
    url = f"{settings.PUBLIC_URL}{reverse('confirm_subscription', args=[link_token(request)])}"
    return OwnMail(
        sender_name=service.sender_name,
        sender_address=service.sender_address,
        recipient=request.address,
        subject=said.text("mail_subject", service=service.name),
        text=said.text("mail", service=service.name, url=url, days=VALID.days).lstrip("\n"),
        language=said.language,
    )


def link_token(request: SubscriptionRequest) -> str:
    """The end of the link: the request's number and time, signed; it says nothing about the person."""
    return _signer().sign(str(request.pk))


def question(token: str) -> Question:
    """What the page behind a link asks. Raises :class:`LinkExpired`."""
    request = _request(token)
    return Question(request, Denylist.objects.filter(recipient__address_key=request.address_key).exists())


@transaction.atomic
def confirm(token: str) -> SubscriptionRequest:
    """Subscribe whoever followed the link; once more changes nothing. Raises :class:`LinkExpired`.

    Whoever follows a link that came to their own mailbox wants mails: an earlier wish for none ends.
    """
    request = _request(token)
    if request.confirmed_at is not None:
        return request
    recipient, _ = Recipient.objects.get_or_create(
        address_key=request.address_key, defaults={"address": request.address, "language": request.language}
    )
    origin = Origin(
        f"subscription form, asked {request.asked_at:%Y-%m-%d %H:%M} UTC, confirmed by the link in the mail"
    )
    erased.forget(request.address_key)
    denylist.allow(recipient, source=origin.source)
    subscriptions.subscribe(recipient, request.service, origin)
    SubscriptionRequest.objects.filter(pk=request.pk).update(confirmed_at=now(), next_attempt_at=None)
    return request


def purge_requests(before: datetime, most: int) -> int:
    """Delete requests whose link has expired."""
    old = SubscriptionRequest.objects.filter(asked_at__lt=before).order_by("pk").values("pk")[:most]
    return SubscriptionRequest.objects.filter(pk__in=old).delete()[0]


def _request(token: str) -> SubscriptionRequest:
    try:
        number = int(_signer().unsign(token, max_age=VALID))
        return SubscriptionRequest.objects.select_related("service").get(pk=number, service__has_form=True)
    except (BadSignature, ValueError, SubscriptionRequest.DoesNotExist) as error:
        raise LinkExpired from error


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="subscription", sep=".")
