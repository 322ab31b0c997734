"""The moments at which the world's clocks show one local time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from deliveries.zones import moments


def test_it_knows_every_zone_by_name() -> None:
    at = moments(datetime(2027, 6, 1, 9, 0))

    assert at["Europe/Berlin"] == datetime(2027, 6, 1, 7, 0, tzinfo=UTC)
    assert at["America/New_York"] == datetime(2027, 6, 1, 13, 0, tzinfo=UTC)
    assert at["Asia/Kolkata"] == datetime(2027, 6, 1, 3, 30, tzinfo=UTC)


def test_it_moves_a_time_that_clocks_skip_behind_the_skip() -> None:
    at = moments(datetime(2027, 3, 28, 2, 30))

    assert at["Europe/Berlin"].astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None) == datetime(
        2027, 3, 28, 3, 30
    )


def test_it_takes_the_earlier_of_two_moments() -> None:
    assert moments(datetime(2027, 10, 31, 2, 30))["Europe/Berlin"] == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2037, 1, 1)))
def test_no_two_zones_are_further_apart_than_the_date_line(local: datetime) -> None:
    at = moments(local.replace(microsecond=0)).values()

    assert max(at) - min(at) <= timedelta(hours=27)
