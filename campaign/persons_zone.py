"""Times of the administration are read and shown in the time zone of whoever looks, which their browser names."""

from collections.abc import Callable
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

COOKIE = "zone"
"""What ``admin.js`` keeps the zone's name in; anything else than a name is ignored, and times are in UTC."""

PATH = "/admin/"


def middleware(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware of pages below :data:`PATH`; recipients' pages tell no times."""

    def in_persons_zone(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(PATH):
            return get_response(request)
        with timezone.override(zone_of(request)):
            return get_response(request)

    return in_persons_zone


def zone_of(request: HttpRequest) -> ZoneInfo | None:
    """The zone that the browser named, ``None`` where it named none."""
    name = request.COOKIES.get(COOKIE, "")
    return ZoneInfo(name) if name in _names() else None


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())
