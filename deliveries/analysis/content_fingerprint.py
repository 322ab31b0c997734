"""Whether a proof still shows what the delivery says."""

import hashlib
import json
from typing import Any

from deliveries.models import Delivery, PersonalizationBlock

SEEN = (
    "sender_name",
    "sender_address",
    "reply_name",
    "reply_address",
    "subject",
    "html",
    "text",
    "language",
    "smtp_headers",
    "mail_formats",
    "track_clicks",
    "track_opens",
    "honeypot",
    "url_parameters",
    "url_parameter_hosts",
    "link_choices",
)
"""Properties that somebody who reads a proof sees."""


def content_fingerprint(delivery: Delivery) -> str:
    """SHA-256 over what a proof shows: sender, subject, both parts, headers, files and blocks."""
    parts = {
        "properties": {name: str(getattr(delivery, name)) for name in SEEN},
        "attachments": sorted(delivery.attachments.values_list("pk", flat=True)),
        "blocks": blocks(),
    }
    return digest(parts)


def blocks() -> list[tuple[str, ...]]:
    """Name and both parts of every personalization block."""
    return list(PersonalizationBlock.objects.order_by("name").values_list("name", "html", "text"))


def digest(parts: dict[str, Any]) -> str:
    """SHA-256 of plain values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
