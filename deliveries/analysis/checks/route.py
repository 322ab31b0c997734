"""The route."""

from collections.abc import Iterator

from deliveries.analysis.checks.registry import Finding, check
from deliveries.models import Delivery, Level, Route


@check
def route_exists(delivery: Delivery) -> Iterator[Finding]:
    """Mail must be able to leave."""
    if delivery.route_id is None and not Route.objects.filter(is_default=True).exists():
        yield Finding(
            Level.ERROR, "There is no route. Create one under “Routes” and mark it as default, or choose one here."
        )
