"""How people reacted to the variants of an A/B test."""

from collections.abc import Mapping, Sequence

from deliveries.abtest.figures import Reactions
from tracking.figures.models import Dimension, EventTally


def reactions(delivery_id: int, content_ids: Sequence[int]) -> Mapping[int, Reactions]:
    """People who opened and who clicked, by content, as far as events are counted (seconds behind). Machines, archives
    and seed addresses are left out."""
    rows = EventTally.objects.filter(
        delivery_id=delivery_id, dimension=Dimension.VARIANT, key__in=[str(content_id) for content_id in content_ids]
    )
    return {int(row.key): Reactions(opened=row.opened, clicked=row.clicked) for row in rows}
