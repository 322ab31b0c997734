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
from campaign.lib.clock import now
from deliveries.models import Delivery
from deliveries.pages.overdue import overdue
from deliveries.rights import may_view_deliveries

MOST_A_MONTH = 500

YEARS = range(1970, 3000)
"""Years that are shown; calendars end somewhere."""

LEAVES_AT = Coalesce("started_at", "starts_at", "contact_at", output_field=DateTimeField())
"""When a delivery's first message left or is to leave."""


def leaves_at(delivery: Delivery) -> datetime | None:
    """The same of a delivery at hand."""
    return delivery.started_at or delivery.starts_at or delivery.contact_at


@dataclass(frozen=True, slots=True)
class Day:
    """A day and what leaves on it."""

    date: date
    in_month: bool
    is_today: bool
    deliveries: list[tuple[Delivery, str]]
    """Each with what is overdue of it."""


def calendar_page(request: HttpRequest) -> HttpResponse:
    """The month that is asked for, else the present one."""
    if not may_view_deliveries(request.user):
        raise PermissionDenied
    first = _month(request.GET.get("month", ""))
    weeks = weeks_of(first)
    number = sum(len(day.deliveries) for week in weeks for day in week)
    return ui.page(
        request,
        "deliveries/calendar.html",
        title=f"Calendar: {first:%B %Y}",
        month=first,
        weeks=weeks,
        weekdays=[day.date for day in weeks[0]],
        before=first - timedelta(days=1),
        after=(first + timedelta(days=32)).replace(day=1),
        is_empty=not number,
        most=MOST_A_MONTH if number > MOST_A_MONTH else 0,
    )


def weeks_of(first: date) -> list[list[Day]]:
    """The weeks of a month, Monday first, with their deliveries: one query."""
    weeks = Calendar().monthdatescalendar(first.year, first.month)
    by_day: dict[date, list[tuple[Delivery, str]]] = {}
    at = now()
    for delivery in _between(weeks[0][0], weeks[-1][-1]):
        day = localtime(delivery.leaves_at).date()  # type: ignore[attr-defined]
        by_day.setdefault(day, []).append((delivery, overdue(delivery, at)))
    today = localdate()
    return [[Day(day, day.month == first.month, day == today, by_day.get(day, [])) for day in week] for week in weeks]


def _between(first: date, last: date) -> QuerySet[Delivery]:
    zone = get_current_timezone()
    begin = datetime.combine(first, datetime.min.time(), zone)
    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), zone)
    found = Delivery.objects.main().annotate(leaves_at=LEAVES_AT).filter(leaves_at__gte=begin, leaves_at__lt=end)
    shown = found.only("label", "state", "contact_at", "starts_at", "started_at", "claimed_at")
    return shown.order_by("leaves_at")[: MOST_A_MONTH + 1]


def _month(text: str) -> date:
    try:
        month = datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 (a month has no zone)
    except ValueError:
        return localdate().replace(day=1)
    return month if month.year in YEARS else localdate().replace(day=1)
