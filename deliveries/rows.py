"""From the database to the rows that rendering takes, and back to a renderer: shared by sending, mirror and preview."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery

from campaign.lib.clock import now
from campaign.lib.last_used import last_used
from campaign.lib.sql import statements
from deliveries.keys import signer
from deliveries.models import Content, Message, MessageValues, Part
from deliveries.rendering.compile import Compiled
from deliveries.rendering.merge import MessageError, MessageRow, Renderer
from deliveries.states import DeliveryState, MessageState

SQL = statements(Path(__file__).parent / "sql")


def _octets(kept: Renderer) -> int:
    return kept.compiled.octets


@last_used(most=64, most_octets=32_000_000, octets=_octets)
def renderer(content_id: int) -> Renderer:
    """The renderer of a frozen content; contents never change, so a process prepares each once.

    Raises :class:`Content.DoesNotExist`. Its first mail raises :class:`campaign.lib.sealing.SealBroken` when a key that
    signs the content cannot be read.
    """
    content = Content.objects.get(pk=content_id)
    keys = content.dkim_keys  # the content itself, with its files once more, must not outlive this call
    return Renderer(
        Compiled.from_json(content.compiled),
        content.pk,
        bytes(content.key),
        clock=time.monotonic,
        signers=lambda: [signer(key_id) for key_id in keys],
    )


def pending_rows(part: Part) -> Iterator[tuple[int, MessageRow]]:
    """Content id and row of every message of a claimed part that may be sent now, in order: one query."""
    dated_at = part.dated_at
    if dated_at is None:
        raise ValueError("The part was never claimed: it has no date.")
    values = (
        Message.objects.filter(pk__range=(part.first_id, part.last_id), state=MessageState.PENDING)
        .exclude(retry_at__gt=now())
        .order_by("pk")
        .values_list("content_id", "pk", "address", "frozen__values")
    )
    for content_id, pk, address, frozen in values:
        yield content_id, MessageRow(id=pk, address=address, values=frozen or [], dated_at=dated_at)


def rows_of(message_ids: Iterable[int]) -> Iterator[tuple[int, MessageRow]]:
    """Content id and row of these messages, dated as they were sent: one query."""
    part = Part.objects.filter(first_id__lte=OuterRef("pk")).order_by("-first_id")
    found = (
        Message.objects.filter(pk__in=list(message_ids))
        .order_by("pk")
        .values_list("content_id", "pk", "address", "frozen__values", Subquery(part.values("dated_at")[:1]))
    )
    for content_id, pk, address, values, dated_at in found:
        yield content_id, MessageRow(id=pk, address=address, values=values or [], dated_at=dated_at)


@dataclass(frozen=True, slots=True)
class Published:
    """What strangers may see of a message: its row (``None`` once its values are deleted) and where its delivery
    stands."""

    row: MessageRow | None
    state: DeliveryState
    ended: bool
    """The mirror pages of its delivery have ended."""


def published(content_id: int, message_id: int) -> Published | None:
    """A message that carries this content, in one query; ``None`` when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(SQL["published_message"], {"message": message_id, "content": content_id})
        found = cursor.fetchone()
    if found is None:
        return None
    address, values, dated_at, state, until, purged_at = found
    row = MessageRow(message_id, address, json.loads(values), dated_at) if values is not None else None
    over = purged_at is not None or (until is not None and until <= now())
    return Published(row, DeliveryState(state), over)


def sample_rows(content: Content, limit: int, dated_at: datetime) -> list[MessageRow]:
    """The first ``limit`` messages of a content, dated ``dated_at``."""
    return _sample(Message.objects.of_delivery(content.delivery_id).order_by("pk")[:limit], dated_at)


def chosen_rows(message_ids: Sequence[int], dated_at: datetime) -> list[MessageRow]:
    """These messages in this order, dated ``dated_at``."""
    found = {row.id: row for row in _sample(Message.objects.filter(pk__in=message_ids), dated_at)}
    return [found[message_id] for message_id in message_ids]


def _sample(messages: QuerySet[Message], dated_at: datetime) -> list[MessageRow]:
    rows = messages.values_list("pk", "address", "frozen__values")
    return [MessageRow(id=pk, address=address, values=values, dated_at=dated_at) for pk, address, values in rows]


def message_row(message: Message) -> MessageRow:
    """The row of one message, dated as it was sent (or as it was analysed, when no worker has claimed it yet).

    Raises :class:`MessageValues.DoesNotExist` when the personal values were purged.
    """
    part = Part.objects.filter(delivery_id=message.delivery_id, first_id__lte=message.pk).order_by("-first_id").first()
    dated_at = part.dated_at if part else None
    values = MessageValues.objects.get(pk=message.pk).values
    return MessageRow(
        id=message.pk, address=message.address, values=values, dated_at=dated_at or message.content.created_at
    )


def investigation_address(message: Message) -> str:
    """Where a bounce of this message goes that no rule could qualify; empty for nowhere.

    The platform's own once the personal values were purged that the delivery's address is made of.
    """
    try:
        return renderer(message.content_id).investigation_address(message_row(message))
    except (MessageValues.DoesNotExist, MessageError):
        return settings.INVESTIGATION_ADDRESS
