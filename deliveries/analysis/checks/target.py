"""The target."""

from collections.abc import Iterator

from deliveries.analysis.checks.registry import Finding, check
from deliveries.models import Delivery, Level


@check
def target_is_chosen(delivery: Delivery) -> Iterator[Finding]:
    """Without a list nobody gets anything."""
    if not delivery.target_lists.exists():
        yield Finding(Level.ERROR, "No target is chosen. Choose at least one list in the field “Target lists”.")
