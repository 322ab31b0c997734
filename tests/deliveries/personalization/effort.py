"""How much hostile content makes the machine do: counted, because seconds depend on what else the machine does.

Each count is the same on every run, and together they leave nothing out: many short steps are many calls, and what is
long in one step is large in memory.
"""

import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest


@contextmanager
def at_most_calls(allowed: int) -> Iterator[None]:
    """Fail at the call that is one too many, of Python and C functions together."""
    left = allowed

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal left
        left -= event in ("call", "c_call")
        if left < 0:
            sys.setprofile(None)
            pytest.fail(f"It is not stopped within {allowed:,} calls.")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)


@contextmanager
def at_most_memory(allowed: int) -> Iterator[None]:
    """Fail when more than so many bytes were held at once."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= allowed, f"It held {peak:,} bytes at once; {allowed:,} are allowed."
