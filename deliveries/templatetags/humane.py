"""Template filters for people."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django import template
from django.utils.formats import date_format

from campaign.lib.durations import spell

register = template.Library()


@register.filter
def number(value: int | None) -> str:
    """A number with a comma between thousands; an en dash for an unknown one."""
    return "–" if value is None else f"{value:,}"


@register.filter
def chance(value: float) -> str:
    """A probability (from 0 to 1) in per cent, with one digit behind the point. What is not sure does not read 100.0 %,
    nor what is possible 0.0 %."""
    shown = min(max(value, 0.001), 0.999) if 0 < value < 1 else value
    return f"{shown * 100:.1f} %"


@register.filter
def duration(value: timedelta) -> str:
    """A duration as it is written in forms: 1h 30m."""
    return spell(value)


@register.filter
def moment(value: datetime, zone: str) -> str:
    """Day and time as clocks in ``zone`` show it, with the zone's name."""
    return f"{date_format(value.astimezone(ZoneInfo(zone or 'UTC')), 'j M Y, H:i')} ({zone or 'UTC'})"


@register.filter
def rate(value: float) -> str:
    """Messages a second, or a minute or an hour where they are few."""
    count, unit = (
        (value, "second") if value >= 10 else (value * 60, "minute") if value * 60 >= 1 else (value * 3600, "hour")
    )
    return f"{count:,.0f} message{'' if round(count) == 1 else 's'} per {unit}"


@register.filter
def percent(value: float | None) -> str:
    """A share (from 0 to 1) in per cent, with two digits behind the point; an en dash for an unknown one."""
    return "–" if value is None else f"{100 * value:,.2f} %"
