"""The time in which the delivery may send."""

from collections.abc import Iterator

from campaign.lib.clock import now
from deliveries.analysis.checks.registry import check
from deliveries.analysis.material import Material


@check("End of the delivery", required=True)
def end_is_ahead(material: Material) -> Iterator[str]:
    """A delivery whose end comes before its start would send nothing."""
    delivery = material.delivery
    start = max(delivery.contact_at or now(), now())
    if delivery.ends(start) <= start:
        yield (
            "The end of the delivery comes before its start, so nothing could be sent. Choose a later date in the tab "
            "“Validity”, or an earlier contact date."
        )
    elif delivery.resources_end(start) < delivery.ends(start):
        yield (
            "The mirror pages would end before the delivery does. Choose a later end of the resources in the tab "
            "“Validity”."
        )
