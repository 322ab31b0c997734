"""The people whom the last analysis left out, with the reason: page by page along the primary key, and as a file."""

import csv
from collections.abc import Iterator

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from campaign import ui
from campaign.lib.primary_keys import primary_key
from campaign.lib.spreadsheet import harmless
from deliveries.analysis.run import exclusion_counts
from deliveries.models import Delivery, Exclusion, ExclusionReason
from deliveries.pages.access import delivery_page

PAGE = 100
CHUNK = 2_000


@delivery_page
def exclusions_page(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """Everybody left out, or those of one reason."""
    reason = request.GET.get("reason", "")
    after = primary_key(request.GET.get("after", ""))
    found = _selection(delivery, reason)
    if after is not None:
        found = found.filter(pk__gt=after)
    lines = list(found[: PAGE + 1])
    return ui.page(
        request,
        "deliveries/exclusions.html",
        title=f"Excluded: {delivery.label}",
        delivery=delivery,
        lines=lines[:PAGE],
        after=lines[PAGE - 1].pk if len(lines) > PAGE else None,
        reason=reason,
        reasons=[(each, ExclusionReason(each).label, count) for each, count in exclusion_counts(delivery).items()],
    )


@delivery_page
def exclusions_file(request: HttpRequest, delivery: Delivery) -> HttpResponseBase:
    """The same as a CSV file, however long: written while it is read."""
    found = _selection(delivery, request.GET.get("reason", ""))
    return StreamingHttpResponse(
        _csv(found),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="excluded-{delivery.pk}.csv"'},
    )


def _selection(delivery: Delivery, reason: str) -> QuerySet[Exclusion]:
    found = delivery.exclusions.order_by("pk")
    return found.filter(reason=reason) if reason in ExclusionReason.values else found


class _Line:
    """What a CSV writer writes to: gives the line back."""

    def write(self, line: str) -> str:
        return line


def _csv(found: QuerySet[Exclusion]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(["Address", "Reason", "Recipient"])
    last = 0
    while lines := list(found.filter(pk__gt=last).values_list("pk", "address", "reason", "recipient_id")[:CHUNK]):
        for pk, address, reason, recipient_id in lines:
            yield writer.writerow([harmless(address), ExclusionReason(reason).label, recipient_id])
            last = pk
