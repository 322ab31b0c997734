"""Durations as people write them: ``90s``, ``30m``, ``1h 30m``, ``5d``, ``2y``. A year is 365 days."""

import re
from datetime import timedelta
from typing import Final

SECONDS: Final = {"y": 365 * 86_400, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
LONGEST: Final = timedelta(days=100 * 365)

_WHOLE = re.compile(r"(?:[0-9]{1,9}\s*[ydhms]\s*)+", re.ASCII)
_ITEM = re.compile(r"([0-9]{1,9})\s*([ydhms])", re.ASCII)


class DurationError(ValueError):
    """The text is no duration. ``str()`` is a sentence for people."""


def parse(text: str) -> timedelta:
    """The duration that ``text`` means. Raises :class:`DurationError`."""
    plain = text.strip().lower()
    if plain == "0":
        return timedelta(0)
    if not _WHOLE.fullmatch(plain):
        raise DurationError(
            f"“{text.strip()[:40]}” is not a duration. "
            "Write a number and s, m, h, d or y, for example 30m, 1h 30m or 5d."
        )
    seconds = sum(int(number) * SECONDS[unit] for number, unit in _ITEM.findall(plain))
    if seconds > LONGEST.total_seconds():
        raise DurationError(f"“{text.strip()[:40]}” is too long. 100y is the longest duration.")
    return timedelta(seconds=seconds)


def spell(duration: timedelta) -> str:
    """The shortest way to write whole seconds, the greatest units first; what :func:`parse` reads back."""
    left = int(duration.total_seconds())
    items = []
    for unit, seconds in SECONDS.items():
        number, left = divmod(left, seconds)
        if number:
            items.append(f"{number}{unit}")
    return " ".join(items) or "0"
