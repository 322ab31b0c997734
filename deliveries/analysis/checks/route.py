"""The route."""

from collections.abc import Iterator

from deliveries.analysis.checks.registry import check
from deliveries.analysis.material import Material
from deliveries.chosen_route import NoRoute, chosen_route


@check("Route", required=True)
def route_exists(material: Material) -> Iterator[str]:
    """Mail must be able to leave."""
    try:
        chosen_route(material.delivery)
    except NoRoute as problem:
        yield str(problem)
