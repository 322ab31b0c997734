from datetime import UTC, datetime, timedelta

import pytest

from campaign.lib import clock

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_it_tells_the_time_in_utc():
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert clock.now().tzinfo is UTC


def test_it_tells_the_time_a_test_wants():
    with clock.running_on(lambda: NOON):
        assert clock.now() == NOON

    assert clock.now() != NOON


def test_it_goes_back_to_the_real_time_after_an_error():
    with pytest.raises(ZeroDivisionError), clock.running_on(lambda: NOON):
        raise ZeroDivisionError

    assert clock.now() != NOON
