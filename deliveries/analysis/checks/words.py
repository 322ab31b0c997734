"""How checks name what they found."""

from collections.abc import Iterable
from typing import Final

MOST_NAMED: Final = 5
LONGEST: Final = 80


def listed(names: Iterable[str], *, longest: int = LONGEST) -> str:
    """The first few in quotes, of each as many characters as ``longest``, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - MOST_NAMED} more" if len(every) > MOST_NAMED else ""
    return ", ".join(f"“{name[:longest]}”" for name in every[:MOST_NAMED]) + more
