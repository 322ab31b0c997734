"""The checks of an analysis and the order in which they run."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from deliveries.models import Delivery, Level


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says: a level and one sentence for people."""

    level: Level
    sentence: str

    @property
    def blocks(self) -> bool:
        """A delivery with this finding cannot be confirmed."""
        return self.level is Level.ERROR


Check = Callable[[Delivery], Iterable[Finding]]
_checks: list[Check] = []


def check(function: Check) -> Check:
    """Register a check; they run in the order in which ``checks/__init__.py`` imports them."""
    _checks.append(function)
    return function


def run(delivery: Delivery) -> Iterator[Finding]:
    """Findings of all checks on what the author typed."""
    for function in _checks:
        yield from function(delivery)
