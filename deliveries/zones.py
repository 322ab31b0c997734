"""One local time, many moments: when the clocks of each time zone show it. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones


def moments(local: datetime) -> Mapping[str, datetime]:
    """When clocks show ``local`` (a naive time), by the name of every time zone, in UTC.

    The earlier moment where they show it twice; where they skip it, the moment as far after the skip as ``local`` is
    behind its beginning (PEP 495, ``fold=0``).
    """
    return {name: local.replace(tzinfo=ZoneInfo(name)).astimezone(UTC) for name in available_timezones()}
