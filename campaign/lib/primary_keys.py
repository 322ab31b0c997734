"""Primary keys as requests bring them: as a text that may be anything."""

from collections.abc import Iterable
from typing import Final

MOST_DIGITS: Final = 18
"""So many always fit a bigint."""


def primary_key(text: str) -> int | None:
    """The key that is written there, in ASCII digits; None when there is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def primary_keys(texts: Iterable[str]) -> list[int]:
    """The keys that are written there, in this order; what is none is left out."""
    return [key for key in map(primary_key, texts) if key is not None]
