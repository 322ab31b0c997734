"""Whether a delivery still is what was analysed."""

from typing import Any

from deliveries.analysis.content_fingerprint import blocks, digest
from deliveries.analysis.typology import plan, typology_of
from deliveries.models import AbTest, Delivery, SeedAddress

SENDING_ONLY = frozenset(
    {
        "approval_mode",
        "archive",
        "archive_emails",
        "in_doubt_policy",
        "max_retries",
        "priority",
        "retry_period",
        "test_smtp",
        "substitution_url",
        "tracking_validity",
        "track_individuals",
    }
)
"""Properties that the analysis does not look at: they count while the delivery is sent."""


def fingerprint(delivery: Delivery) -> str:
    """SHA-256 over everything an analysis freezes: shared properties, attachments, target, seeds, blocks, checks."""
    frozen = [name for name in delivery.property_names() if name not in SENDING_ONLY]
    parts = {
        "properties": {name: str(getattr(delivery, name)) for name in frozen},
        "attachments": sorted(delivery.attachments.values_list("pk", flat=True)),
        "target": _target(delivery),
        "blocks": blocks(),
        "checks": [(one.check.key, one.level) for one in plan(typology_of(delivery))],
        **_test(delivery),
    }
    return digest(parts)


def _test(delivery: Delivery) -> dict[str, Any]:
    test = AbTest.objects.filter(delivery=delivery).first()
    if test is None:
        return {}
    variants = test.variants.order_by("letter").values_list("letter", "subject", "sender_name", "html", "text")
    return {"test": [test.share, str(test.wait)], "variants": list(variants)}


def _target(delivery: Delivery) -> dict[str, Any]:
    seeds = SeedAddress.objects.filter(groups__in=delivery.seed_groups.all()).distinct().order_by("pk").values()
    return {
        "lists": sorted(delivery.target_lists.values_list("pk", flat=True)),
        "queries": list(delivery.target_queries.order_by("pk").values_list("pk", "definition")),
        "file": delivery.target_file_id,
        "excluded lists": sorted(delivery.excluded_lists.values_list("pk", flat=True)),
        "excluded queries": list(delivery.excluded_queries.order_by("pk").values_list("pk", "definition")),
        "sample": [delivery.limit_mode, delivery.limit_size],
        "control group": [delivery.control_mode, delivery.control_size],
        "draw": delivery.draw,
        "local time": [str(delivery.local_contact), delivery.contact_zone if delivery.local_contact else ""],
        "seeds": [{name: str(value) for name, value in seed.items()} for seed in seeds],
    }


def is_stale(delivery: Delivery) -> bool:
    """The delivery was analysed, and content or target changed since."""
    return bool(delivery.fingerprint) and delivery.fingerprint != fingerprint(delivery)
