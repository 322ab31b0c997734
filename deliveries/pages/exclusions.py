"""The people whom the last analysis left out, with the reason, page by page along the primary key."""

from django.http import HttpRequest, HttpResponse

from campaign import ui
from deliveries.analysis.run import exclusion_counts
from deliveries.models import Delivery, ExclusionReason
from deliveries.pages.access import delivery_page

PAGE = 100


@delivery_page
def exclusions_page(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """Everybody left out, or those of one reason."""
    reason = request.GET.get("reason", "")
    after = request.GET.get("after", "")
    found = delivery.exclusions.order_by("pk")
    if reason in ExclusionReason.values:
        found = found.filter(reason=reason)
    if after.isascii() and after.isdigit() and len(after) < 19:
        found = found.filter(pk__gt=int(after))
    lines = list(found[: PAGE + 1])
    return ui.page(
        request,
        "deliveries/exclusions.html",
        title=f"Excluded: {delivery.label}",
        delivery=delivery,
        lines=lines[:PAGE],
        after=lines[PAGE - 1].pk if len(lines) > PAGE else None,
        reason=reason,
        reasons=[(each, ExclusionReason(each).label, count) for each, count in exclusion_counts(delivery.pk).items()],
    )
