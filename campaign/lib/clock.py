"""The present moment, from one place, so that a test can hold it still."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def _system() -> datetime:
    return datetime.now(UTC)


_clock: ContextVar[Clock] = ContextVar("clock", default=_system)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _clock.get()()


@contextmanager
def running_on(clock: Clock) -> Iterator[None]:
    """Make :func:`now` ask ``clock`` inside the block (in this thread or task only)."""
    token = _clock.set(clock)
    try:
        yield
    finally:
        _clock.reset(token)
