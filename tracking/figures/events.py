"""Bring the sums over events along: a few thousand at a time, exactly, however often an event is judged anew."""

from pathlib import Path

from django.db import connection, transaction
from django.db.models import QuerySet

from campaign.lib.sql import statements
from deliveries.models import Content
from tracking.figures.models import Dimension, EventTally
from tracking.models import Event, EventKind, Origin

SQL = statements(Path(__file__).parent / "sql")

BATCH = 5_000
"""Events in one transaction."""
_LOCK = 0x7A11E5
"""One process counts at a time (PostgreSQL advisory lock); another would wait for the same rows."""
TRACKED = "tracked"
"""Mode of links whose clicks are the newsletter's success."""


def count_events(batch: int = BATCH) -> int:
    """Count every event that is new or judged anew; returns how many there were."""
    counted = 0
    while done := _count_some(batch):
        counted += done
    return counted


@transaction.atomic
def recount(delivery_id: int) -> None:
    """Forget the sums over a delivery's events and count its log afresh.

    Where retention has deleted events already, the sums end up smaller than they were.
    """
    _take_turn()
    EventTally.objects.filter(delivery_id=delivery_id).delete()
    Event.objects.of_delivery(delivery_id).update(counted=0)


@transaction.atomic
def _count_some(batch: int) -> int:
    _take_turn()
    left_out = not_counted(_contents_to_count(batch))
    names: dict[str, int] = {f"by_{dimension.name.lower()}": dimension.value for dimension in Dimension}
    for choice in (*EventKind, *Origin):
        names[choice.name.lower()] = choice.value
    with connection.cursor() as cursor:
        cursor.execute(
            SQL["count_events"],
            {
                **names,
                "limit": batch,
                "left_out_contents": [content_id for content_id, _ in left_out],
                "left_out_links": [link for _, link in left_out],
            },
        )
        return int(cursor.fetchone()[0])


def _take_turn() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _contents_to_count(batch: int) -> QuerySet[Content]:
    with connection.cursor() as cursor:
        cursor.execute(SQL["contents_to_count"], {"limit": batch})
        return Content.objects.filter(pk__in=[row[0] for row in cursor.fetchall()])


def not_counted(contents: QuerySet[Content]) -> list[tuple[int, int]]:
    """Content and number of each link whose clicks stand under the link alone."""
    return [
        (pk, link["number"])
        for pk, links in contents.values_list("pk", "compiled__links")
        for link in links or ()
        if link.get("mode", TRACKED) != TRACKED
    ]
