"""Deliveries beside each other, indicator by indicator."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from campaign import ui
from campaign.lib.primary_keys import primary_keys
from deliveries.models import Delivery
from deliveries.rights import may_view_deliveries
from tracking.figures.charts import Chart, chart
from tracking.figures.indicators import Indicator, indicators, sums_of
from tracking.reports.report import wants_machines

FEWEST, MOST = 2, 10
CHARTED = ("success", "distinct_opens", "clicked")
REFUSAL = f"Choose {FEWEST} to {MOST} deliveries to compare."


def compare_selected(admin: Any, request: HttpRequest, chosen: QuerySet[Delivery]) -> HttpResponse | None:
    """Action of the list: lead to the comparison, or say how many may be chosen."""
    numbers = list(chosen.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
    if not FEWEST <= len(numbers) <= MOST:
        messages.error(request, REFUSAL)
        return None
    query = urlencode({"delivery": numbers}, doseq=True)
    return redirect(f"{reverse('admin:deliveries_delivery_compare')}?{query}")


def comparison_page(request: HttpRequest) -> HttpResponse:
    """The table and its chart."""
    if not may_view_deliveries(request.user):
        raise PermissionDenied
    machines = wants_machines(request)
    deliveries = _asked_for(request)
    enough = len(deliveries) >= FEWEST
    sums = sums_of(deliveries, machines=machines) if enough else {}
    columns = [indicators(sums[delivery.pk]) for delivery in deliveries] if enough else []
    return ui.page(
        request,
        "tracking/comparison.html",
        title="Comparison of deliveries",
        deliveries=deliveries,
        enough=enough,
        refusal=REFUSAL,
        machines=machines,
        query=urlencode({"delivery": [delivery.pk for delivery in deliveries]}, doseq=True),
        rows=[(row[0], row) for row in zip(*columns, strict=True)],
        chart=_chart(deliveries, columns),
    )


def _asked_for(request: HttpRequest) -> list[Delivery]:
    numbers = primary_keys(request.GET.getlist("delivery"))
    return list(Delivery.objects.main().filter(pk__in=numbers[:MOST]).order_by("started_at", "pk"))


def _chart(deliveries: Sequence[Delivery], columns: Sequence[Sequence[Indicator]]) -> Chart:
    """Shares in tenths of a per cent would be drawn alike: the chart compares lengths, the table has the figures."""
    groups = []
    for delivery, column in zip(deliveries, columns, strict=False):
        by_name = {one.name: one for one in column}
        shares = [(f"‰ {by_name[name].label.lower()}", round(1000 * (by_name[name].share or 0))) for name in CHARTED]
        groups.append((delivery.label, shares))
    return chart(groups)
