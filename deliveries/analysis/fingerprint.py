"""Whether a delivery still is what was analysed."""

import hashlib
import json

from deliveries.models import Delivery, PersonalizationBlock

SENDING_ONLY = frozenset(
    {"archive", "archive_emails", "priority", "max_retries", "retry_period", "in_doubt_policy", "test_smtp"}
)
"""Properties that the analysis does not look at: they count while the delivery is sent."""


def fingerprint(delivery: Delivery) -> str:
    """SHA-256 over everything an analysis freezes: shared properties, attachments, chosen lists and blocks."""
    frozen = [name for name in delivery.property_names() if name not in SENDING_ONLY]
    parts = {
        "properties": {name: str(getattr(delivery, name)) for name in frozen},
        "attachments": sorted(delivery.attachments.values_list("pk", flat=True)),
        "lists": sorted(delivery.target_lists.values_list("pk", flat=True)),
        "blocks": list(PersonalizationBlock.objects.order_by("name").values_list("name", "html", "text")),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def is_stale(delivery: Delivery) -> bool:
    """The delivery was analysed, and content or target changed since."""
    return bool(delivery.fingerprint) and delivery.fingerprint != fingerprint(delivery)
