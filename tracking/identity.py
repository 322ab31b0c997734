"""Keys of events, given by the process that saw them."""

import secrets
import time

RANDOM_BITS = 21
_EPOCH_MS = 1_767_225_600_000
"""2026-01-01 00:00 UTC, in milliseconds since 1970: 42 bits last for 139 years."""


def new_event_id() -> int:
    """A key (63 bits): the present millisecond, then 21 random bits.

    Two events of one millisecond meet once in two million times; the second one is then not counted.
    """
    return event_id(time.time_ns() // 1_000_000, secrets.randbits(RANDOM_BITS))


def event_id(ms: int, random_bits: int) -> int:
    """The key of an event seen ``ms`` milliseconds after 1970."""
    return max(ms - _EPOCH_MS, 0) << RANDOM_BITS | random_bits
