"""One run through everything that apps delete when it is old."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError

from campaign.lib import retention
from campaign.lib.retention import Purge

AT = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_purges", {})


def heap(rows: int, asked: list[tuple[datetime, int]], name: str = "rows", keep: timedelta | None = timedelta(days=9)):
    """Registers so many old rows; what is asked of it is noted."""
    left = [rows]

    def delete_some(before: datetime, most: int) -> int:
        asked.append((before, most))
        deleted = min(left[0], most)
        left[0] -= deleted
        return deleted

    retention.register(Purge(name, lambda: keep, delete_some))


def test_it_deletes_in_batches_until_nothing_is_left():
    asked: list[tuple[datetime, int]] = []
    heap(25, asked)

    assert retention.run(AT, batch=10) == {"rows": 25}

    assert asked == [(AT - timedelta(days=9), 10)] * 4


def test_it_keeps_for_ever_what_shall_be_kept():
    asked: list[tuple[datetime, int]] = []
    heap(25, asked, keep=None)

    assert retention.run(AT) == {"rows": 0}
    assert asked == []


def test_it_stops_between_batches_and_goes_on_next_time():
    asked: list[tuple[datetime, int]] = []
    heap(25, asked)
    answers = iter([True, True, False])

    assert retention.run(AT, goes_on=lambda: next(answers), batch=10) == {"rows": 20}
    assert retention.run(AT, batch=10) == {"rows": 5}


def test_it_goes_on_with_the_others_when_one_breaks():
    def broken(before: datetime, most: int) -> int:
        raise DatabaseError

    retention.register(Purge("broken", lambda: timedelta(0), broken))
    heap(1, [])

    assert retention.run(AT) == {"broken": 0, "rows": 1}
