"""What can be exported of a report: a heading and rows, whatever the form of the file."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection

from campaign.lib.sql import statements
from deliveries.models import Content, Delivery, Message, message_range
from deliveries.sending.verdict import Reason
from deliveries.states import MessageState
from tracking.figures.breakdown import domains_of, hours_of, links_of, programs_of, tallies_of
from tracking.figures.events import not_counted
from tracking.figures.indicators import indicators, sums_of
from tracking.figures.log import DOMAINS
from tracking.figures.models import Dimension
from tracking.models import EventKind, Origin

SQL = statements(Path(__file__).parent / "sql")

CHUNK = 2_000
"""People that are read at once."""

Cell = str | int | float | datetime | None
Row = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """A file's contents. ``rows`` may be very many, and are read while they are written."""

    heading: Sequence[str]
    rows: Iterable[Row]


def _indicators(delivery: Delivery, *, machines: bool) -> Table:
    found = indicators(sums_of([delivery], machines=machines)[delivery.pk])
    return Table(
        ("Indicator", "Value", "Share", "Of", "Of what", "What is divided by what"),
        [(one.label, None if one.is_share else one.value, one.share, one.of, one.of_label, one.help) for one in found],
    )


def _domains(delivery: Delivery, *, machines: bool) -> Table:
    total = tallies_of(delivery, machines=machines).get(Dimension.TOTAL, {}).get("", {})
    return Table(
        ("Domain", "Sent", "Failed", "Failed of processed", "Opened", "Opened of sent", "Clicked", "Clicked of sent"),
        [
            (
                row.domain, row.sent, row.failed, row.failed_share, row.opened, row.opened_share, row.clicked,
                row.clicked_share,
            )
            for row in domains_of(delivery, total, limit=DOMAINS, machines=machines)
        ],
    )  # fmt: skip


def _links(delivery: Delivery, *, machines: bool) -> Table:
    return Table(
        ("Label", "Address", "Category", "Mode", "Clicks", "Share of all clicks", "Recipients of each link"),
        [
            (row.label, row.url, row.category, row.mode, row.clicks, row.share, row.clicked)
            for row in links_of(delivery, tallies_of(delivery, machines=machines))
        ],
    )


def _hours(delivery: Delivery, *, machines: bool) -> Table:
    return Table(
        ("Hour (UTC)", "Sent", "Opens", "Clicks"),
        [
            (row.at, row.sent, row.opens, row.clicks)
            for row in hours_of(delivery, tallies_of(delivery, machines=machines))
        ],
    )


def _programs(delivery: Delivery, *, machines: bool) -> Table:
    tallies = tallies_of(delivery, machines=machines)
    return Table(
        ("Kind", "Name", "Recipients who opened", "Of distinct opens", "Who clicked", "Opens", "Clicks"),
        [
            (str(dimension.label), row.name, row.opened, row.share, row.clicked, row.opens, row.clicks)
            for dimension in (Dimension.DEVICE, Dimension.BROWSER, Dimension.SYSTEM)
            for row in programs_of(tallies, dimension)
        ],
    )


def _people(delivery: Delivery, *, machines: bool) -> Table:
    return Table(
        ("Number", "Address", "First seen", "Opens", "Clicks", "Mirror page views"),
        _people_rows(delivery, [Origin.PERSON, Origin.MACHINE] if machines else [Origin.PERSON]),
    )


def _people_rows(delivery: Delivery, origins: Sequence[Origin]) -> Iterator[Row]:
    """Everybody of whom an event is known, in the order of message numbers, a chunk of the index at a time."""
    after, last = message_range(delivery.pk)
    left_out = not_counted(Content.objects.filter(delivery_id=delivery.pk))
    given: dict[str, Any] = {
        "last": last, "origins": [origin.value for origin in origins], "limit": CHUNK, "open": EventKind.OPEN.value,
        "click": EventKind.CLICK.value, "mirror": EventKind.MIRROR.value, "contents": [pk for pk, _ in left_out],
        "links": [number for _, number in left_out],
    }  # fmt: skip
    while True:
        with connection.cursor() as cursor:
            cursor.execute(SQL["people_with_events"], {**given, "after": after})
            found = cursor.fetchall()
        if not found:
            return
        addresses = dict(Message.objects.filter(pk__in=[row[0] for row in found]).values_list("pk", "address"))
        for message_id, first_at, opens, clicks, views in found:
            number = message_id - message_range(delivery.pk)[0]
            yield number, addresses.get(message_id, ""), first_at, opens, clicks, views
        after = found[-1][0]


def _log(delivery: Delivery, **_: bool) -> Table:
    return Table(
        ("Number", "Address", "State", "Failure type", "Reason", "Failed attempts", "Time (UTC)", "Reply"),
        _log_rows(delivery),
    )


def _log_rows(delivery: Delivery) -> Iterator[Row]:
    """The messages to the target, a stretch of the primary key at a time."""
    after, _ = message_range(delivery.pk)
    messages = Message.objects.of_delivery(delivery.pk).filter(seed__isnull=True).order_by("pk")
    while found := list(messages.filter(pk__gt=after)[:CHUNK]):
        for one in found:
            reason = None if one.reason is None else Reason(one.reason).label
            state = MessageState(one.state).label
            yield (
                one.number, one.address, state, one.failure_type, reason, one.attempts, one.processed_at, one.reply,
            )  # fmt: skip
        after = found[-1].pk


PEOPLE = "people"
LOG = "log"
PERSONAL = frozenset({PEOPLE, LOG})
"""What names recipients."""
TABLES: Mapping[str, Callable[..., Table]] = {
    "indicators": _indicators,
    "domains": _domains,
    "links": _links,
    "hours": _hours,
    "programs": _programs,
    PEOPLE: _people,
    LOG: _log,
}
