"""What hostile content costs the processor: its cost may grow with its length, not with the square of it."""

import gc
import time
from collections.abc import Callable
from typing import Final

SHORTER: Final = 16
ALWAYS_ALLOWED: Final = 1.5
"""Processor seconds that say nothing about growth."""


def processor_seconds(act: Callable[[], object]) -> float:
    """Without the collection of garbage, which grows with what the tests before left behind."""
    gc.disable()
    try:
        began = time.process_time()
        act()
        return time.process_time() - began
    finally:
        gc.enable()


def grows_too_fast(short: float, long: float) -> bool:
    """Whether seconds for a content ``SHORTER`` times longer are more than its length explains, on a busy machine
    four times that: the square of it would be 256 times as long."""
    return long > max(ALWAYS_ALLOWED, 4 * SHORTER * short)


def grows_with_length_only(act: Callable[[int], object], length: int) -> bool:
    """Whether ``act`` of a length takes its time in proportion to it."""
    short, long = (processor_seconds(lambda: act(length // SHORTER)), processor_seconds(lambda: act(length)))
    return not grows_too_fast(short, long)
