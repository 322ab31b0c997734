from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from deliveries.sending.retry import next_attempt

AT = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def attempt(message_id: int = 1, *, attempts: int = 1, valid_until: datetime | None = None) -> datetime | None:
    return next_attempt(message_id, attempts=attempts, retries=2, period=HOUR, failed_at=AT, valid_until=valid_until)


@given(st.integers(0, 2**62))
def test_it_comes_between_one_period_and_one_and_a_half(message_id: int):
    at = attempt(message_id)

    assert at is not None
    assert AT + HOUR <= at < AT + 1.5 * HOUR
    assert attempt(message_id) == at


def test_it_spreads_what_failed_together():
    minutes = {int((at - AT).total_seconds() // 60) for at in (attempt(5 << 32 | n) for n in range(1, 301)) if at}

    assert len(minutes) == 30


def test_it_ends_with_the_last_retry():
    assert attempt(attempts=2) is not None
    assert attempt(attempts=3) is None


def test_it_ends_with_the_delivery():
    assert attempt(valid_until=AT + 0.9 * HOUR) is None
    assert attempt(valid_until=AT + 2 * HOUR) is not None
