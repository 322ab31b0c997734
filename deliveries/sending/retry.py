"""When a message that failed for the time being is tried again. Pure."""

from datetime import datetime, timedelta
from typing import Final

_SPREAD_STEPS: Final = 1_000
_MIX: Final = 2_654_435_761  # Knuth's multiplicative hash: neighbours land far apart


def next_attempt(
    message_id: int,
    *,
    attempts: int,
    retries: int,
    period: timedelta,
    failed_at: datetime,
    valid_until: datetime | None,
) -> datetime | None:
    """The time of the next attempt after ``attempts`` attempts, or ``None`` when there is none left.

    Attempts lie between one period and one and a half periods after the failure, spread by message, so that what
    failed together does not come back as a burst. The spread is the same each time it is computed.
    """
    if attempts > retries:
        return None
    spread = (message_id * _MIX >> 8) % _SPREAD_STEPS / _SPREAD_STEPS
    at = failed_at + period + period / 2 * spread
    return None if valid_until is not None and at >= valid_until else at
