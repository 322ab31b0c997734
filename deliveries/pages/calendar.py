"""Deliveries on a calendar: a month at a time, each on the day on which its first message leaves or left."""

from calendar import Calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db.models import DateTimeField, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import get_current_timezone, localdate, localtime

from campaign import ui
from deliveries.models import Delivery
from deliveries.rights import may_view_deliveries

MOST_A_MONTH = 500


@dataclass(frozen=True, slots=True)
class Day:
    """A day and what leaves on it."""

    date: date
    in_month: bool
    is_today: bool
    deliveries: list[Delivery]


def calendar_page(request: HttpRequest) -> HttpResponse:
    """The month that is asked for, else the present one."""
    if not may_view_deliveries(request.user):
        raise PermissionDenied
    first = _month(request.GET.get("month", ""))
    weeks = weeks_of(first)
    return ui.page(
        request,
        "deliveries/calendar.html",
        title=f"Calendar: {first:%B %Y}",
        month=first,
        weeks=weeks,
        weekdays=[day.date for day in weeks[0]],
        before=first - timedelta(days=1),
        after=(first + timedelta(days=32)).replace(day=1),
        is_empty=not any(day.deliveries for week in weeks for day in week),
    )


def weeks_of(first: date) -> list[list[Day]]:
    """The weeks of a month, Monday first, with their deliveries: one query."""
    weeks = Calendar().monthdatescalendar(first.year, first.month)
    by_day: dict[date, list[Delivery]] = {}
    for delivery in _between(weeks[0][0], weeks[-1][-1]):
        by_day.setdefault(localtime(delivery.leaves_at).date(), []).append(delivery)  # type: ignore[attr-defined]
    today = localdate()
    return [[Day(day, day.month == first.month, day == today, by_day.get(day, [])) for day in week] for week in weeks]


def _between(first: date, last: date) -> QuerySet[Delivery]:
    zone = get_current_timezone()
    begin = datetime.combine(first, datetime.min.time(), zone)
    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), zone)
    leaves_at = Coalesce("started_at", "starts_at", "contact_at", output_field=DateTimeField())
    found = Delivery.objects.main().annotate(leaves_at=leaves_at).filter(leaves_at__gte=begin, leaves_at__lt=end)
    return found.only("label", "state", "contact_at", "starts_at", "started_at").order_by("leaves_at")[:MOST_A_MONTH]


def _month(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 (a month has no zone)
    except ValueError:
        return localdate().replace(day=1)
