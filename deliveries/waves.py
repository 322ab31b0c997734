"""Waves: how many messages of a delivery may leave when. Pure: numbers and durations in, numbers and durations out."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from typing import Final

from campaign.lib.durations import DurationError, parse

MOST_WAVES: Final = 1_000

_SIZE = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,2}))?\s*(%?)", re.ASCII)


class WavesProblem(ValueError):
    """The waves cannot be used. ``str()`` is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Size:
    """A number of messages, or hundredths of a percent of all of them."""

    number: int
    is_share: bool

    def of(self, total: int) -> int:
        """Messages, rounded up so that a wave is never empty."""
        return -(-total * self.number // 10_000) if self.is_share else self.number


@dataclass(frozen=True, slots=True)
class Wave:
    """How many messages are released how long after the delivery's start."""

    messages: int
    after: timedelta


@dataclass(frozen=True, slots=True)
class Release:
    """One line of a calendar: how much is released how long after the start."""

    after: timedelta
    size: Size


def parse_size(text: str) -> Size:
    """A number (``5000``) or a percentage (``12.5 %``). Raises :class:`WavesProblem`."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or (match[2] and not match[3]):
        raise WavesProblem(
            f"“{text.strip()[:40]}” is not a size. Write a number of messages or a percentage: 5000 or 10%."
        )
    whole, fraction, percent = match.groups()
    number = int(whole) * 100 + int((fraction or "0").ljust(2, "0")) if percent else int(whole)
    if not number:
        raise WavesProblem("A wave cannot be empty. Write a number of messages or a percentage above 0.")
    if percent and number > 10_000:
        raise WavesProblem(f"“{text.strip()}” is more than everything. Write at most 100%.")
    return Size(number, bool(percent))


def parse_calendar(text: str) -> tuple[Release, ...]:
    """One release a line, ``1d 10%``: time after the start, then the size. Raises :class:`WavesProblem`."""
    releases = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        when, _, size = line.strip().replace(" %", "%").rpartition(" ")
        try:
            releases.append(Release(parse(when), parse_size(size)))
        except (DurationError, WavesProblem) as error:
            raise WavesProblem(f"Line {number} of the calendar: {error}") from error
    if not releases:
        raise WavesProblem(
            "The calendar has no line. Write one wave a line: time after the start and size, as in 1d 10%."
        )
    if any(later.after <= earlier.after for earlier, later in pairwise(releases)):
        raise WavesProblem("The waves of the calendar are not in order. Each must start later than the one before.")
    if len(releases) > MOST_WAVES:
        raise WavesProblem(f"The calendar has {len(releases):,} waves; {MOST_WAVES:,} are possible.")
    if sum(release.size.number for release in releases[:-1] if release.size.is_share) > 10_000:
        raise WavesProblem(
            "The percentages of the calendar, without the last wave's, are more than 100% together. Make them smaller."
        )
    return tuple(releases)


def equal(total: int, size: Size, every: timedelta) -> tuple[Wave, ...]:
    """Waves of the same size, ``every`` so long one; the last has what is left. Raises :class:`WavesProblem`."""
    each = size.of(total)
    number = -(-total // each)
    if number > MOST_WAVES:
        raise WavesProblem(
            f"Waves of {each:,} messages make {number:,} waves; {MOST_WAVES:,} are possible. Make the waves larger."
        )
    return tuple(Wave(min(each, total - each * index), every * index) for index in range(number))


def by_calendar(total: int, releases: Sequence[Release]) -> tuple[Wave, ...]:
    """Waves as the calendar says; the last has what is left."""
    return tuple(_calendar_waves(total, releases))


def _calendar_waves(total: int, releases: Sequence[Release]) -> Iterator[Wave]:
    left = total
    for number, release in enumerate(releases, start=1):
        messages = left if number == len(releases) else min(release.size.of(total), left)
        if messages:
            yield Wave(messages, release.after)
        left -= messages


def by_moments(people: Sequence[tuple[datetime, int]], planted: Sequence[int]) -> tuple[Wave, ...]:
    """A wave for each moment at which so many people are written to, in order of time.

    ``planted``: before which person (counted from 1 over all moments) further messages stand.
    """
    first = people[0][0]
    ends = list(accumulate(number for _, number in people))
    extra = Counter(min(bisect_left(ends, before), len(ends) - 1) for before in planted)
    return tuple(Wave(number + extra[index], moment - first) for index, (moment, number) in enumerate(people))


def plan(total: int, mode: str, *, size: str, interval: timedelta, calendar: str) -> tuple[Wave, ...]:
    """The waves of a delivery of ``total`` messages by its properties; one wave when there are none.

    Raises :class:`WavesProblem`.
    """
    match mode:
        case "equal":
            return equal(total, parse_size(size), interval)
        case "calendar":
            return by_calendar(total, parse_calendar(calendar))
        case _:
            return (Wave(total, timedelta(0)),)
