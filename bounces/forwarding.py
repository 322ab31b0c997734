"""What no rule could qualify, and what people wrote to a return path, goes on to somebody who reads it.

It cannot go round in a circle: it leaves with the null reverse-path, so that no bounce of it comes back (RFC 5321,
section 4.5.5), says that a machine sent it (RFC 3834), and what carries its mark is not forwarded again, wherever it
has been; nor is a mail forwarded twice, and an address gets so many in an hour at most.
"""

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.parser import BytesParser
from email.policy import SMTP, compat32
from email.utils import format_datetime
from typing import Final

from django.conf import settings
from django.db import transaction

from bounces.models import Forward, ForwardState
from campaign.lib.clock import now
from campaign.lib.sealing import SealBroken
from deliveries.mail import Mail
from deliveries.models import Delivery, Route
from deliveries.rendering.encode import MessageError, wire_address
from deliveries.sending.handshake import RouteUnavailable
from deliveries.sending.routes import NoRoute, address_of, route_of
from deliveries.sending.session import ConnectionLost
from deliveries.sending.smtp.replies import Reply
from deliveries.sending.transport import Connection

logger = logging.getLogger(__name__)

MARK: Final = "X-Campaign-Forwarded"
MAX_PER_HOUR: Final = 60
"""Mails to one investigation address; more wait for the next hour."""
MAX_ATTEMPTS: Final = 8
_CLAIM: Final = timedelta(minutes=10)
_WAITS: Final = (1, 5, 15, 60, 240, 720, 1440)
"""Minutes until the next attempt."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A person who shall read a mail."""

    to: str
    why: str
    delivery_id: int | None = None


def note(readers: Mapping[int, Reader]) -> None:
    """Let these kept mails (by their key) be forwarded, once each, in the transaction that processes them."""
    due = now()
    Forward.objects.bulk_create(
        (
            Forward(
                mail_id=mail_id, to=reader.to, why=reader.why[:200], delivery_id=reader.delivery_id, next_attempt_at=due
            )
            for mail_id, reader in readers.items()
        ),
        ignore_conflicts=True,
    )


def is_marked(raw: bytes) -> bool:
    """Whether the mail, or what is inside it, was forwarded by us."""
    return f"\n{MARK}:".lower().encode() in b"\n" + raw.lower()


def send_due(at: datetime) -> int:
    """Forward what is due and return how many left. Nothing is held while a server is asked: a process that dies leaves
    what it had claimed to be tried again ten minutes later."""
    sent = 0
    for forward in _claimed(at):
        if _is_too_much(forward, at):
            continue
        try:
            reply = _send(forward)
        except (NoRoute, RouteUnavailable, ConnectionLost, SealBroken, MessageError) as problem:
            _missed(forward, str(problem), at)
            continue
        if reply.accepted:
            forward.state, forward.sent_at, forward.sentence = ForwardState.SENT, at, str(reply)
            forward.attempts += 1
            forward.save(update_fields=["state", "sent_at", "sentence", "attempts"])
            sent += 1
        else:
            _missed(forward, str(reply), at)
    return sent


def _claimed(at: datetime) -> list[Forward]:
    with transaction.atomic():
        due = list(
            Forward.objects.select_for_update(skip_locked=True)
            .filter(state=ForwardState.WAITING, next_attempt_at__lte=at)
            .order_by("next_attempt_at")[:MAX_PER_HOUR]
        )
        Forward.objects.filter(pk__in=[forward.pk for forward in due]).update(next_attempt_at=at + _CLAIM)
    return due


def _is_too_much(forward: Forward, at: datetime) -> bool:
    lately = Forward.objects.filter(to=forward.to, sent_at__gt=at - timedelta(hours=1))
    return lately[:MAX_PER_HOUR].count() >= MAX_PER_HOUR


def _missed(forward: Forward, sentence: str, at: datetime) -> None:
    forward.attempts += 1
    forward.sentence = sentence
    forward.next_attempt_at = at + timedelta(minutes=_WAITS[min(forward.attempts, len(_WAITS)) - 1])
    if forward.attempts >= MAX_ATTEMPTS:
        forward.state = ForwardState.FAILED
        logger.warning("Mail %s could not be forwarded to %s: %s", forward.mail_id, forward.to, sentence)
    forward.save(update_fields=["attempts", "sentence", "next_attempt_at", "state"])


def _send(forward: Forward) -> Reply:
    with Connection(address_of(_route(forward.delivery_id))) as connection:
        for _, reply in connection.send([mail_of(forward)]):
            return reply
    raise RouteUnavailable("The server gave no answer.")


def _route(delivery_id: int | None) -> Route:
    """The delivery's, else the default one. Raises :class:`NoRoute`."""
    delivery = Delivery.objects.filter(pk=delivery_id).first() if delivery_id else None
    if delivery is not None:
        return route_of(delivery)
    default = Route.objects.filter(is_default=True, is_active=True).first()
    if default is None:
        raise NoRoute("There is no active default route. Create one under “Routes”.")
    return default


def mail_of(forward: Forward) -> Mail:
    """The mail with the original inside. Raises :class:`MessageError` for an address that mail cannot go to."""
    to = wire_address("the investigation address", forward.to)
    sender = wire_address("the error address", settings.ERROR_ADDRESS) if "." in settings.ERROR_ADDRESS else to
    original = BytesParser(policy=compat32).parsebytes(bytes(forward.mail.raw))
    outer = MIMEMultipart("mixed", boundary=f"=_{secrets.token_hex(16)}", policy=SMTP)
    outer["Date"] = format_datetime(now())
    outer["From"] = sender
    outer["To"] = to
    outer["Subject"] = f"Returned mail to look at (number {forward.mail_id})"
    outer["Message-ID"] = f"<{secrets.token_hex(16)}@{sender.rpartition('@')[2]}>"
    outer["Auto-Submitted"] = "auto-generated"
    outer[MARK] = str(forward.mail_id)
    delivery = f" Delivery {forward.delivery_id}." if forward.delivery_id else ""
    outer.attach(MIMEText(f"{forward.why}{delivery}\n\nThe mail is attached as it came.\n", "plain", "utf-8"))
    outer.attach(MIMEMessage(original))
    data = outer.as_bytes(policy=SMTP.clone(cte_type="8bit"))
    data = b"\r\n".join(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))
    return Mail(
        id=forward.pk,
        sender="",
        recipient=to,
        pieces=(data,),
        smtputf8=not to.isascii(),
        eight_bit=not data.isascii(),
    )
