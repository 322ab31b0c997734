"""Moments in sentences for people."""

from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime


def spelled(at: datetime) -> str:
    """Day, time and zone, as clocks of the installation show them: ``5 May 2026, 09:00 CEST``."""
    return date_format(localtime(at), "j M Y, H:i T")
