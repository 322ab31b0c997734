"""What clicks and opens are answered. Nothing here waits for Redis, and once a content is known nothing waits for the
database either, unless an address is personal.
"""

import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import Error

from campaign.lib.clock import now
from deliveries.identifiers import UnknownMessage
from deliveries.models import Content, Delivery
from deliveries.models.message import NUMBER_BITS
from deliveries.rendering.merge import MessageError
from deliveries.rendering.tracking import HONEYPOT
from deliveries.rendering.urls import as_location
from deliveries.rows import published, renderer
from tracking import known
from tracking.buffer import this_process
from tracking.hit import hit
from tracking.known import KnownDelivery
from tracking.models import EventKind, anonymous
from tracking.paths import CLICK, kind_and_rest

logger = logging.getLogger(__name__)

PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
"""A transparent GIF of one pixel."""

Headers = list[tuple[str, str]]

_NO_STORE = [
    ("Cache-Control", "no-store, private"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Robots-Tag", "noindex, nofollow"),
    ("X-Content-Type-Options", "nosniff"),
]


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, header fields and body of a response."""

    status: HTTPStatus
    headers: Headers
    body: bytes = b""


class LinkEnded(Exception):
    """The link was a link of a message once; it leads nowhere any more."""


THE_PIXEL = Answer(
    HTTPStatus.OK, [("Content-Type", "image/gif"), ("Content-Length", str(len(PIXEL))), *_NO_STORE], PIXEL
)


NOTHING = Answer(HTTPStatus.NOT_FOUND, [("Content-Length", "0"), *_NO_STORE])


def answer(environ: dict[str, Any]) -> Answer | None:
    """The answer to a request (WSGI) for a tracked link or a pixel; ``None`` for anything else, and where people get a
    page instead (:mod:`tracking.link_views`)."""
    try:
        return answer_or_problem(environ)
    except (UnknownMessage, LinkEnded, Error):
        return None


def answer_or_problem(environ: dict[str, Any]) -> Answer | None:
    """The same; raises what :func:`destination` raises, and what the database does where it must be asked."""
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        return None
    found = kind_and_rest(environ.get("PATH_INFO", ""))
    if found is None:
        return None
    kind, rest = found
    if kind == CLICK:
        location = destination(rest, environ)
        return _redirect(location) if location else NOTHING
    try:
        note_open(rest, environ)
    except UnknownMessage:
        pass
    except Error:
        logger.exception("An open could not be noted")
    return THE_PIXEL


def destination(rest: str, environ: dict[str, Any]) -> str:
    """Where a click leads, after noting it; nowhere (empty) for the link that no person can see.

    Raises :class:`UnknownMessage` when no link has this identifier, :class:`LinkEnded` when its time is over and the
    delivery names no page for that, or when it was personal and the personal values are deleted.
    """
    identifier, content = known.identified(rest)
    delivery_id = identifier.message_id >> NUMBER_BITS
    delivery = _delivery(delivery_id)
    if delivery.ends_at is not None and delivery.ends_at <= now():
        return _substitute(delivery)
    content_id, message_id, link = identifier.content_id, identifier.message_id, identifier.link
    target = ""
    if link != HONEYPOT:
        if link not in content.targets:
            raise UnknownMessage
        target = content.targets[link] or _personal(content_id, message_id, link, delivery)
    _note(EventKind.CLICK, content_id, message_id, link, delivery, environ)
    return target


def note_open(rest: str, environ: dict[str, Any]) -> None:
    """Note that a pixel was asked for. Raises :class:`UnknownMessage` when it is no message's."""
    identifier, _ = known.identified(rest)
    delivery = _delivery(identifier.message_id >> NUMBER_BITS)
    if delivery.ends_at is None or delivery.ends_at > now():
        _note(EventKind.OPEN, identifier.content_id, identifier.message_id, 0, delivery, environ)


def note_mirror(content_id: int, message_id: int, environ: dict[str, Any]) -> None:
    """Note that a mirror page was shown, where its delivery is tracked."""
    delivery = _delivery(message_id >> NUMBER_BITS)
    if delivery.is_tracked:
        _note(EventKind.MIRROR, content_id, message_id, 0, delivery, environ)


def _note(
    kind: EventKind, content_id: int, message_id: int, link: int, delivery: KnownDelivery, environ: dict[str, Any]
) -> None:
    if not delivery.is_started:
        return  # nothing has left the house: somebody tries it out
    if not delivery.is_individual:
        message_id = anonymous(message_id >> NUMBER_BITS)
    this_process.add(hit(kind, content_id, message_id, link, environ, by_proxy=settings.BEHIND_PROXY))


def _delivery(delivery_id: int) -> KnownDelivery:
    try:
        return known.delivery(delivery_id)
    except Delivery.DoesNotExist as error:
        raise UnknownMessage from error


def _personal(content_id: int, message_id: int, link: int, delivery: KnownDelivery) -> str:
    """A personal address, worked out again from the rows that made the message."""
    known.refresh_connection()
    message = published(content_id, message_id)
    if message is None:
        raise UnknownMessage
    if message.row is None:
        return _substitute(delivery)
    try:
        return renderer(content_id).destination(message.row, link)
    except (MessageError, Content.DoesNotExist) as error:
        raise UnknownMessage from error


def _substitute(delivery: KnownDelivery) -> str:
    if not delivery.substitution_url:
        raise LinkEnded
    return as_location(delivery.substitution_url)


def _redirect(location: str) -> Answer:
    return Answer(HTTPStatus.FOUND, [("Location", location), ("Content-Length", "0"), *_NO_STORE])
