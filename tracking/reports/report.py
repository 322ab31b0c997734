"""The report of one delivery: its indicators, and its figures by domain, link, hour and program."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from campaign import ui
from campaign.lib.clock import now
from campaign.lib.hints import hint
from deliveries.models import Delivery
from deliveries.pages.access import delivery_page
from deliveries.rights import Person
from tracking.figures.again import why_not
from tracking.figures.breakdown import HourRow, domains_of, first_hours, hours_of, links_of, programs_of, tallies_of
from tracking.figures.charts import Chart, chart
from tracking.figures.indicators import indicators, sums_of
from tracking.figures.models import Dimension, LogCount
from tracking.models import Event, EventLoss

DOMAINS = 50
"""Domains with a row of their own on the page; the file has more."""
HOURS = 72
"""From the first message on; the file has all."""
PROGRAMS = 15
LINKS = 200
LATE = timedelta(minutes=5)
"""Events are counted within seconds; when one waits longer, nothing counts them."""
LINK_GROUPS = ("url", "label")


def wants_machines(request: HttpRequest) -> bool:
    """The figures with what machines did are asked for."""
    return request.GET.get("machines") == "1"


def wanted_links(request: HttpRequest) -> str:
    """By what links are put together."""
    by = request.GET.get("links", "")
    return by if by in LINK_GROUPS else LINK_GROUPS[0]


def may_count_again(person: Person) -> bool:
    """Counting again costs seconds of the database: not for those who only look."""
    return any(person.has_perm(f"deliveries.{right}_delivery") for right in ("change", "control"))  # type: ignore[union-attr]


@delivery_page
def report_page(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """Everything on one page."""
    machines = wants_machines(request)
    by = wanted_links(request)
    sums = sums_of([delivery], machines=machines)[delivery.pk]
    tallies = tallies_of(delivery, machines=machines)
    hours = hours_of(delivery, tallies)
    shown_hours = first_hours(hours, HOURS)
    links = links_of(delivery, tallies, by=by)
    return ui.page(
        request,
        "tracking/report.html",
        title=f"Report: {delivery.label}",
        delivery=delivery,
        machines=machines,
        links_by=by,
        indicators=indicators(sums),
        domains=domains_of(delivery, tallies.get(Dimension.TOTAL, {}).get("", {}), limit=DOMAINS, machines=machines),
        links=links[:LINKS],
        links_left=max(len(links) - LINKS, 0),
        hours=shown_hours,
        hours_end_early=bool(hours) and hours[-1].at > shown_hours[-1].at,
        chart=hour_chart(shown_hours),
        programs=[
            (dimension.label, programs_of(tallies, dimension)[:PROGRAMS])
            for dimension in (Dimension.DEVICE, Dimension.BROWSER, Dimension.SYSTEM)
        ],
        counted_at=LogCount.objects.filter(pk=delivery.pk).values_list("counted_at", flat=True).first(),
        late_since=late_since(now()),
        lost=lost_since(delivery.started_at),
        may_count_again=may_count_again(request.user),
    )


def hour_chart(rows: Sequence[HourRow]) -> Chart:
    """Opens and clicks of each hour."""
    return chart((f"{row.at:%-d %b, %H:00}", [("opens", row.opens), ("clicks", row.clicks)]) for row in rows)


def late_since(at: datetime) -> datetime | None:
    """When the oldest event was seen that is not counted although it is time; ``None`` when all is well."""
    waiting = Event.objects.exclude(counted=F("origin")).order_by("pk").values_list("at", flat=True).first()
    return waiting if waiting is not None and waiting < at - LATE else None


def lost_since(start: datetime | None) -> int:
    """Events of any delivery that could not be kept since this delivery started."""
    if start is None:
        return 0
    return int(EventLoss.objects.filter(at__gte=start).aggregate(lost=Sum("count", default=0))["lost"])


@delivery_page
def recount_page(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """Ask whether the figures shall be counted again, and have it done."""
    if not may_count_again(request.user):
        raise PermissionDenied
    refusal = why_not(delivery)
    if request.method == "POST" and not refusal:
        if hint("tracking.tasks.count_again", delivery.pk):
            messages.success(request, "The figures are being counted again. Load the report again in a moment.")
        else:
            messages.error(request, "The queue does not answer, so nothing is counted. Try again in a moment.")
        return redirect("admin:deliveries_delivery_report", delivery.pk)
    return ui.page(
        request, "tracking/recount.html", title=f"Count again: {delivery.label}", delivery=delivery, refusal=refusal
    )
