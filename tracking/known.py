"""What a web process keeps in memory to answer clicks and opens: the links of contents, and facts about deliveries."""

import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db import Error, close_old_connections, connection

from campaign.lib.signing import InvalidToken, LinkIdentifier, split_link, verify_link
from deliveries.identifiers import UnknownMessage
from deliveries.models import Content, Delivery
from deliveries.rendering.links import Link, LinkMode
from deliveries.states import STARTED
from tracking.paths import identifiers_in

logger = logging.getLogger(__name__)

CONTENTS = 1_000
DELIVERIES = 4_000
RELY_SECONDS = 20
"""So long a process relies on what it knows about a delivery, and so long it does not ask again for what the database
could not say. Contents never change."""


@dataclass(frozen=True, slots=True)
class KnownContent:
    """The key of a content, and where its tracked links lead: empty where that is personal."""

    key: bytes
    targets: dict[int, str]


@dataclass(frozen=True, slots=True)
class KnownDelivery:
    """What clicks and opens need to know of a delivery."""

    is_started: bool
    is_tracked: bool
    is_individual: bool
    ends_at: datetime | None
    """Links lead on until then; ``None``: for ever."""
    substitution_url: str


@lru_cache(maxsize=CONTENTS)
def content(content_id: int) -> KnownContent:
    """Raises :class:`Content.DoesNotExist`."""
    refresh_connection()
    key, values = Content.objects.values_list("key", "compiled__links").get(pk=content_id)
    links = (Link.from_json(link) for link in values or [])
    return KnownContent(bytes(key), {link.number: link.target for link in links if link.mode != LinkMode.UNTRACKED})


_deliveries: OrderedDict[int, tuple[float, KnownDelivery]] = OrderedDict()
"""When each was asked for last, and what is known since; the first asked for come first."""


def delivery(delivery_id: int) -> KnownDelivery:
    """While the database is away, what was known before. Raises :class:`Delivery.DoesNotExist`, and what the database
    raises where nothing was."""
    asked, known = _deliveries.get(delivery_id, (0.0, None))
    if known is not None and time.monotonic() - asked < RELY_SECONDS:
        return known
    try:
        known = _asked(delivery_id)
    except Error as error:
        if known is None:
            raise
        logger.warning("What is known of delivery %s stays: %s", delivery_id, error)
    _deliveries[delivery_id] = time.monotonic(), known
    _deliveries.move_to_end(delivery_id)
    if len(_deliveries) > DELIVERIES:
        _deliveries.popitem(last=False)
    return known


def _asked(delivery_id: int) -> KnownDelivery:
    refresh_connection()
    row = Delivery.objects.only(
        "state", "track_clicks", "track_individuals", "started_at", "tracking_validity", "substitution_url"
    ).get(pk=delivery_id)
    ends_at = row.started_at + row.tracking_validity if row.started_at and row.tracking_validity else None
    is_started = row.current_state in STARTED
    return KnownDelivery(is_started, row.track_clicks, row.track_individuals, ends_at, row.substitution_url)


def identified(rest: str) -> tuple[LinkIdentifier, KnownContent]:
    """The link that the rest of a path names, and its content.

    Raises :class:`UnknownMessage` when it names none, or somebody made it up.
    """
    for text in identifiers_in(rest):
        try:
            identifier = split_link(text)
            known = content(identifier.content_id)
        except (InvalidToken, Content.DoesNotExist):
            continue
        if verify_link(identifier, known.key):
            return identifier, known
    raise UnknownMessage


def refresh_connection() -> None:
    """What Django does before a request: a connection that the server ended is not used again."""
    if not connection.in_atomic_block:
        close_old_connections()


def forget() -> None:
    """Forget everything, for tests whose rows are rolled back."""
    content.cache_clear()
    _deliveries.clear()
