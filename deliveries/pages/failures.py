"""Why messages of a delivery failed: by reason and by domain, with the words of the servers."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection
from django.http import HttpRequest, HttpResponse

from campaign import ui
from deliveries.models import Delivery, message_range
from deliveries.pages.access import delivery_page
from deliveries.rows import SQL
from deliveries.sending.verdict import FailureType, Reason
from deliveries.states import MessageState

MOST_LINES = 100

TYPES: Mapping[str, str] = {
    FailureType.HARD: "Hard: the address is invalid",
    FailureType.SOFT: "Soft: may be temporary",
    FailureType.IGNORED: "Ignored: says nothing about the address",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Messages that failed for one reason at one domain (those that are still retried among them)."""

    domain: str
    type: str
    reason: str
    count: int
    retried: int
    words: str
    """What a server answered to one of them."""


def failures_of(delivery: Delivery) -> list[Failure]:
    """The most frequent failures first: one pass over the delivery's log."""
    first, last = message_range(delivery.pk)
    given = {"first": first, "last": last, "failed": MessageState.FAILED.value, "limit": MOST_LINES}
    with connection.cursor() as cursor:
        cursor.execute(SQL["failures"], given | {"pending": MessageState.PENDING.value})
        return [
            Failure(domain, TYPES.get(kind or "", "Not qualified"), Reason(reason or 0).label, count, retried, words)
            for domain, kind, reason, count, retried, words in cursor.fetchall()
        ]


@delivery_page
def failures_page(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """The table."""
    failures = failures_of(delivery)
    by_reason: dict[tuple[str, str], int] = {}
    for failure in failures:
        key = (failure.reason, failure.type)
        by_reason[key] = by_reason.get(key, 0) + failure.count
    return ui.page(
        request,
        "deliveries/failures.html",
        title=f"Failures: {delivery.label}",
        delivery=delivery,
        failures=failures,
        reasons=sorted(((*key, count) for key, count in by_reason.items()), key=lambda line: -line[2]),
        is_longer=len(failures) == MOST_LINES,
    )
