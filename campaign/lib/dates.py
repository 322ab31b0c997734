"""Moments in sentences for people."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.timezone import localtime


def spelled(at: datetime, zone: str = "") -> str:
    """Day, time and zone, as clocks of ``zone`` (empty: of the installation) show them: ``5 May 2026, 09:00 CEST``."""
    return date_format(localtime(at, ZoneInfo(zone) if zone else None), "j M Y, H:i T")
