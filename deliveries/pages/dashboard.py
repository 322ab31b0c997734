"""The page of one delivery: where it stands, what can be done next, what happened."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from campaign import ui
from deliveries.analysis.fingerprint import is_stale
from deliveries.analysis.run import exclusion_counts
from deliveries.archiving.copies import figures
from deliveries.models import Delivery, ExclusionReason
from deliveries.pages.access import delivery_page, may_change
from deliveries.pages.acts import acts_of, route_name
from deliveries.pages.progress import counts, progress_of
from deliveries.states import EDITABLE, DeliveryState
from deliveries.waves import Wave, WavesProblem

MOVING = frozenset({DeliveryState.ANALYSING, DeliveryState.IN_PROGRESS})
"""States that change without anybody touching them."""

STOP_POLLING = 286
JOURNAL_LINES = 200


@delivery_page
def dashboard(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """Everything about a delivery on one page."""
    context = _progress_context(delivery)
    journal = list(delivery.journal.select_related("user").order_by("-id")[: JOURNAL_LINES + 1])
    return ui.page(
        request,
        "deliveries/dashboard.html",
        title=delivery.label,
        stale=delivery.current_state is DeliveryState.READY and is_stale(delivery),
        editable=delivery.current_state in EDITABLE,
        may_change=may_change(request),
        may_add=request.user.has_perm("deliveries.add_delivery"),
        acts=acts_of(delivery, context["progress"]),
        route=route_name(delivery),
        waves=waves_of(delivery),
        lists=delivery.target_lists.order_by("name"),
        exclusions=[
            (reason, ExclusionReason(reason).label, count) for reason, count in exclusion_counts(delivery.pk).items()
        ],
        copies=figures(delivery) if delivery.archive_emails and delivery.started_at else None,
        journal=journal[:JOURNAL_LINES],
        journal_is_longer=len(journal) > JOURNAL_LINES,
        **context,
    )


def waves_of(delivery: Delivery) -> list[Wave]:
    """The delivery's waves when there are several and they can be read."""
    try:
        waves = delivery.waves(delivery.to_send) if delivery.to_deliver else ()
    except WavesProblem:
        return []
    return list(waves) if len(waves) > 1 else []


@delivery_page
def progress_fragment(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """The progress alone, for polling; asks for the whole page when the state has changed, ends when nothing moves."""
    if request.headers.get("HX-Request") != "true":
        return dashboard(request, delivery_id=delivery.pk)
    if request.GET.get("state") != str(delivery.state):
        return HttpResponse(headers={"HX-Refresh": "true"})
    status = 200 if delivery.current_state in MOVING else STOP_POLLING
    return render(request, "deliveries/progress.html", _progress_context(delivery), status=status)


def _progress_context(delivery: Delivery) -> dict[str, Any]:
    progress = progress_of([delivery])[delivery.pk]
    return {
        "delivery": delivery,
        "progress": progress,
        "counts": counts(delivery, progress),
        "moving": delivery.current_state in MOVING,
    }
