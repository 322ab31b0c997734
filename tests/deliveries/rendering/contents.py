"""Contents and rows for the tests of rendering; nothing here touches a database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from deliveries.personalization.blocks import Block
from deliveries.personalization.fields import Field, catalogue
from deliveries.rendering.compile import Compiled, Source, compile_content
from deliveries.rendering.merge import MessageRow, Renderer

KEY = bytes(range(32))
DATED_AT = datetime(2026, 5, 31, 9, 30, tzinfo=UTC)
FIELDS: dict[str, Field] = catalogue(["birthday", "score", "products", "items", "keys", "get"])

SOURCE = Source(
    subject="News",
    html="<p>Hello</p>",
    text="Hello",
    sender_name="Example Shop",
    sender_address="news@example.com",
    reply_name="",
    reply_address="",
    error_address="bounces@example.com",
    language="en",
    base_url="https://mail.example.com",
    message_domain="mail.example.com",
    label="May news",
    code="may-26",
)


def compiled(blocks: Mapping[str, Block] | None = None, **changes: Any) -> Compiled:
    """The compiled content of :data:`SOURCE` with changes."""
    return compile_content(replace(SOURCE, **changes), FIELDS, blocks or {})


def renderer(blocks: Mapping[str, Block] | None = None, **changes: Any) -> Renderer:
    """A renderer of :data:`SOURCE` with changes."""
    return Renderer(compiled(blocks, **changes), 7, KEY)


def row(renderer: Renderer, *, address: str = "anna@example.org", **values: Any) -> MessageRow:
    """The first message's row; values that are not given are null."""
    ordered: Sequence[Any] = [values.get(path.removeprefix("recipient.")) for path in renderer.compiled.fields]
    return MessageRow(id=(3 << 32) | 1, address=address, values=ordered, dated_at=DATED_AT)


def parsed(data: bytes) -> EmailMessage:
    """The message as Python reads it."""
    return message_from_bytes(data, policy=policy.default)


def defects(message: EmailMessage) -> list[Any]:
    """Everything that Python finds wrong, in headers and in parts."""
    return [
        defect
        for part in message.walk()
        for defect in [*part.defects, *(d for header in part.values() for d in header.defects)]
    ]
