"""Deliveries on a calendar: a month at a time, each on the day on which its first message leaves or left, and on the
days of its later waves."""

from calendar import Calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Case, DateTimeField, F, Q, QuerySet, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import get_current_timezone, localdate, localtime

from campaign import ui
from campaign.lib.clock import now
from deliveries.models import Delivery, WavesMode
from deliveries.pages.overdue import overdue
from deliveries.pages.waves import releases_of
from deliveries.rights import may_view_deliveries

MOST_A_MONTH = 500

YEARS = range(1970, 3000)
"""Years that are shown; calendars end somewhere."""

LEAVES_AT = Coalesce("started_at", "starts_at", "contact_at", output_field=DateTimeField())
"""When a delivery's first message left or is to leave."""

LEAVES_UNTIL = Coalesce(
    "valid_until",
    Case(When(explicit_dates=True, then="ends_at")),
    F("leaves_at") + F("validity"),
    output_field=DateTimeField(),
)
"""After which none of its waves leaves."""

IN_WAVES = Q(contact_times__len__gt=1) | (~Q(waves_mode=WavesMode.NONE) & Q(to_deliver__gt=0, ab_test=None))
"""Deliveries that have later waves; an A/B test has its own order."""


def leaves_at(delivery: Delivery) -> datetime | None:
    """The same of a delivery at hand."""
    return delivery.started_at or delivery.starts_at or delivery.contact_at


@dataclass(frozen=True, slots=True)
class Entry:
    """What leaves at a moment: a delivery as a whole, or one of its waves."""

    at: datetime
    delivery: Delivery
    wave: str
    """Which of how many waves it is, with its size; empty where there are no waves."""
    late: str
    """What is overdue of it."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day and what leaves on it."""

    date: date
    in_month: bool
    is_today: bool
    entries: list[Entry]


def calendar_page(request: HttpRequest) -> HttpResponse:
    """The month that is asked for, else the present one."""
    if not may_view_deliveries(request.user):
        raise PermissionDenied
    first = _month(request.GET.get("month", ""))
    weeks, is_cut = weeks_of(first)
    return ui.page(
        request,
        "deliveries/calendar.html",
        title=f"Calendar: {first:%B %Y}",
        month=first,
        weeks=weeks,
        weekdays=[day.date for day in weeks[0]],
        before=first - timedelta(days=1),
        after=(first + timedelta(days=32)).replace(day=1),
        is_empty=not any(day.entries for week in weeks for day in week),
        most=MOST_A_MONTH if is_cut else 0,
    )


def weeks_of(first: date) -> tuple[list[list[Day]], bool]:
    """The weeks of a month, Monday first, with what leaves, and whether more leaves than is shown: two queries."""
    weeks = Calendar().monthdatescalendar(first.year, first.month)
    zone = get_current_timezone()
    begin = datetime.combine(weeks[0][0], datetime.min.time(), zone)
    end = datetime.combine(weeks[-1][-1] + timedelta(days=1), datetime.min.time(), zone)
    entries = sorted((*_beginnings(begin, end), *_later_waves(begin, end)), key=lambda entry: entry.at)
    by_day: dict[date, list[Entry]] = {}
    for entry in entries[:MOST_A_MONTH]:
        by_day.setdefault(localtime(entry.at).date(), []).append(entry)
    today = localdate()
    shown = [[Day(day, day.month == first.month, day == today, by_day.get(day, [])) for day in week] for week in weeks]
    return shown, len(entries) > MOST_A_MONTH


def _beginnings(begin: datetime, end: datetime) -> Iterator[Entry]:
    at = now()
    for delivery in _deliveries().filter(leaves_at__gte=begin, leaves_at__lt=end)[: MOST_A_MONTH + 1]:
        releases = releases_of(delivery)
        wave = _wave(1, len(releases), releases[0][1]) if releases else ""
        yield Entry(delivery.leaves_at, delivery, wave, overdue(delivery, at))


def _later_waves(begin: datetime, end: datetime) -> Iterator[Entry]:
    """Those that were not cancelled by a stop."""
    reaching = _deliveries().annotate(leaves_until=LEAVES_UNTIL).filter(leaves_at__lt=end, leaves_until__gt=begin)
    alive = reaching.filter(IN_WAVES).exclude(finished_at__lt=begin)
    for delivery in alive.order_by("-leaves_at")[: MOST_A_MONTH + 1]:
        releases = releases_of(delivery)
        for number, (at, messages) in enumerate(releases[1:], start=2):
            if begin <= at < end and (delivery.finished_at is None or at <= delivery.finished_at):
                yield Entry(at, delivery, _wave(number, len(releases), messages), "")


def _wave(number: int, of: int, messages: int | None) -> str:
    return f"Wave {number} of {of}" + (f": {messages:,} messages" if messages is not None else "")


def _deliveries() -> "QuerySet[Any]":  # of deliveries with what is annotated
    found = Delivery.objects.main().annotate(leaves_at=LEAVES_AT).order_by("leaves_at")
    return found.only(
        "label", "state", "contact_at", "contact_zone", "starts_at", "started_at", "claimed_at", "finished_at",
        "contact_times", "to_deliver", "seeds", "waves_mode", "wave_size", "wave_interval", "wave_calendar",
    )  # fmt: skip


def _month(text: str) -> date:
    try:
        month = datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 (a month has no zone)
    except ValueError:
        return localdate().replace(day=1)
    return month if month.year in YEARS else localdate().replace(day=1)
