"""The time in which the delivery may send."""

from collections.abc import Iterator

from campaign.lib.clock import now
from deliveries.analysis.checks.registry import Finding, check
from deliveries.models import Delivery, Level


@check
def end_is_ahead(delivery: Delivery) -> Iterator[Finding]:
    """A delivery whose end comes before its start would send nothing."""
    start = max(delivery.contact_at or now(), now())
    if delivery.ends(start) <= start:
        yield Finding(
            Level.ERROR,
            "The end of the delivery comes before its start, so nothing could be sent. Choose a later date in the tab "
            "“Validity”, or an earlier contact date.",
        )
    elif delivery.resources_end(start) < delivery.ends(start):
        yield Finding(
            Level.ERROR,
            "The mirror pages would end before the delivery does. Choose a later end of the resources in the tab "
            "“Validity”.",
        )
