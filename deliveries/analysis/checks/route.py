"""The route."""

from collections.abc import Iterator

from deliveries.analysis.checks.registry import check
from deliveries.analysis.material import Material
from deliveries.models import Route


@check("Route", required=True)
def route_exists(material: Material) -> Iterator[str]:
    """Mail must be able to leave."""
    if material.delivery.route_id is None and not Route.objects.filter(is_default=True).exists():
        yield "There is no route. Create one under “Routes” and mark it as default, or choose one here."
