"""The figures of one delivery by domain, link, hour and program: read from the sums that are kept, never from a log."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, Sum

from deliveries.models import Content, Delivery
from deliveries.states import MessageState
from tracking.figures.events import TRACKED
from tracking.figures.indicators import EVENTS
from tracking.figures.models import Dimension, EventTally, LogTally
from tracking.models import Device

OTHER_DOMAINS = "Other domains"
UNKNOWN = "Unknown"
HOUR_KEY = "%Y-%m-%dT%H"

Counts = Mapping[str, int]
Tallies = Mapping[int, Mapping[str, Counts]]
"""By dimension and key; the counts are named as in ``EVENTS``."""


@dataclass(frozen=True, slots=True)
class DomainRow:
    """Messages to one recipient domain; opened and clicked are messages as well."""

    domain: str
    sent: int
    failed: int
    opened: int
    clicked: int

    @property
    def processed(self) -> int:
        """Sent or failed."""
        return self.sent + self.failed

    @property
    def failed_share(self) -> float | None:
        """Of the messages that were processed on this domain."""
        return self.failed / self.processed if self.processed else None

    @property
    def opened_share(self) -> float | None:
        """Of the messages sent on this domain."""
        return self.opened / self.sent if self.sent else None

    @property
    def clicked_share(self) -> float | None:
        """Of the messages sent on this domain."""
        return self.clicked / self.sent if self.sent else None


@dataclass(frozen=True, slots=True)
class LinkRow:
    """Clicks on a link, or on all with the same label or the same address. ``clicked``: recipients of each link, added
    up, so that who clicked two of them is there twice."""

    label: str
    url: str
    category: str
    mode: str
    links: int
    clicks: int
    clicked: int
    share: float | None
    """Of all clicks on the delivery's links."""


@dataclass(frozen=True, slots=True)
class HourRow:
    """What happened in the hour from ``at`` on."""

    at: datetime
    sent: int
    opens: int
    clicks: int


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """What was read with. ``share`` is of the recipients who opened; who reads with two programs is in both rows."""

    name: str
    opened: int
    clicked: int
    opens: int
    clicks: int
    share: float | None


def tallies_of(delivery: Delivery, *, machines: bool = False) -> Tallies:
    """All sums over events but those by domain, of which there may be very many: one query."""
    rows = EventTally.objects.filter(delivery_id=delivery.pk).exclude(dimension=Dimension.DOMAIN)
    found: dict[int, dict[str, Counts]] = defaultdict(dict)
    for dimension, key, counts in _counts(rows, machines=machines):
        found[dimension][key] = counts
    return found


def _counts(rows: Any, *, machines: bool) -> Iterable[tuple[int, str, Counts]]:
    prefix = "all_" if machines else ""
    for dimension, key, *counts in rows.values_list("dimension", "key", *(f"{prefix}{name}" for name in EVENTS)):
        yield dimension, key, dict(zip(EVENTS, counts, strict=True))


def domains_of(delivery: Delivery, total: Counts, *, limit: int, machines: bool = False) -> list[DomainRow]:
    """The ``limit`` domains with most messages, the largest first, and the rest in one row: two queries.

    ``total`` are the delivery's counts without regard to domains.
    """
    by_domain = LogTally.objects.filter(delivery_id=delivery.pk, hour=None).order_by().values_list("domain")
    counted = by_domain.annotate(
        sent=Sum("count", filter=Q(state=MessageState.SENT), default=0),
        failed=Sum("count", filter=Q(state=MessageState.FAILED), default=0),
        messages=Sum("count"),
    )
    rows = sorted(counted, key=lambda row: (row[0] == "", -row[3], row[0]))
    listed = [row for row in rows[:limit] if row[0]]
    rest = rows[len(listed) :]
    keys = EventTally.objects.filter(
        delivery_id=delivery.pk, dimension=Dimension.DOMAIN, key__in=[row[0] for row in listed]
    )
    events = {key: counts for _, key, counts in _counts(keys, machines=machines)}
    none = dict.fromkeys(EVENTS, 0)
    found = [
        DomainRow(name, sent, failed, *(events.get(name, none)[what] for what in ("opened", "clicked")))
        for name, sent, failed, _ in listed
    ]
    if rest:
        # A message goes to one domain, so what the listed ones lack of the total is the others'.
        opened, clicked = (
            max(total.get(what, 0) - sum(getattr(row, what) for row in found), 0) for what in ("opened", "clicked")
        )
        sent, failed = (sum(row[place] for row in rest) for place in (1, 2))
        found.append(DomainRow(OTHER_DOMAINS, sent, failed, opened, clicked))
    return found


def links_of(delivery: Delivery, tallies: Tallies, *, by: str = "url") -> list[LinkRow]:
    """The links of all the delivery's contents, the most clicked first; those with the same address (or, by ``label``,
    the same label) in one row: one query."""
    counts = tallies.get(Dimension.LINK, {})
    groups: dict[tuple[str, str], list[tuple[Mapping[str, Any], Counts]]] = defaultdict(list)
    contents = Content.objects.filter(delivery_id=delivery.pk).order_by("pk").values_list("pk", "compiled__links")
    for content_id, links in contents:
        for link in links or ():
            mode = link.get("mode", TRACKED)
            own = counts.get(f"{content_id}:{link['number']}", {})
            groups[link[by] or link["url"], mode].append((link, own))
    every = sum(own.get("clicks", 0) for group in groups.values() for _, own in group)
    rows = [_link_row(mode, group, every) for (_, mode), group in groups.items()]
    return sorted(rows, key=lambda row: -row.clicks)


def _link_row(mode: str, group: Sequence[tuple[Mapping[str, Any], Counts]], every: int) -> LinkRow:
    clicks = sum(own.get("clicks", 0) for _, own in group)
    return LinkRow(
        label=_joined(link["label"] for link, _ in group),
        url=_joined(link["url"] for link, _ in group),
        category=_joined(link.get("category", "") for link, _ in group),
        mode=mode.replace("_", " "),
        links=len({(link["number"], link["url"]) for link, _ in group}),
        clicks=clicks,
        clicked=sum(own.get("clicked", 0) for _, own in group),
        share=clicks / every if every else None,
    )


def _joined(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(filter(None, values)))


def hours_of(delivery: Delivery, tallies: Tallies) -> list[HourRow]:
    """Every hour in which something was sent, opened or clicked, in order: one query."""
    sent = dict(
        LogTally.objects.filter(delivery_id=delivery.pk, hour__isnull=False, state=MessageState.SENT)
        .order_by()
        .values_list("hour")
        .annotate(Sum("count"))
    )
    events = {
        datetime.strptime(key, HOUR_KEY).replace(tzinfo=UTC): counts
        for key, counts in tallies.get(Dimension.HOUR, {}).items()
    }
    rows = []
    for at in sorted({*sent, *events}):
        counts = events.get(at, {})
        row = HourRow(at, sent.get(at, 0), counts.get("opens", 0), counts.get("clicks", 0))
        if row.sent or row.opens or row.clicks:
            rows.append(row)
    return rows


def first_hours(rows: Sequence[HourRow], limit: int) -> list[HourRow]:
    """The first ``limit`` hours from the first row on, without gaps, to the last row at most."""
    if not rows:
        return []
    by_hour = {row.at: row for row in rows}
    first = rows[0].at
    count = min(limit, int((rows[-1].at - first) / timedelta(hours=1)) + 1)
    hours = (first + timedelta(hours=number) for number in range(count))
    return [by_hour.get(at, HourRow(at, 0, 0, 0)) for at in hours]


def programs_of(tallies: Tallies, dimension: Dimension) -> list[ProgramRow]:
    """Devices, browsers or systems, the most frequent first. No query."""
    total = tallies.get(Dimension.TOTAL, {}).get("", {}).get("opened", 0)
    rows = [
        ProgramRow(
            _program(dimension, key),
            counts["opened"],
            counts["clicked"],
            counts["opens"],
            counts["clicks"],
            counts["opened"] / total if total else None,
        )
        for key, counts in tallies.get(dimension, {}).items()
        if any(counts.values())
    ]
    return sorted(rows, key=lambda row: (-row.opened, -row.opens, row.name))


def _program(dimension: Dimension, key: str) -> str:
    if dimension == Dimension.DEVICE and key in Device.values:
        return str(Device(key).label)
    return key or UNKNOWN
