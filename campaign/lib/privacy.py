"""What is held about one person: each app registers what it has, how to export it and how to erase it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """Who it is about. An address without a profile has no ``recipient_id``."""

    address: str
    key: str
    """The form under which addresses are compared."""
    recipient_id: int | None
    pseudonym: str
    """What stands where the address stood once it is erased."""
    found: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What apps looked up about the person, each for itself and the others: a whole log is read once."""


Files = Iterator[tuple[str, bytes]]


def _no_files(person: Person) -> Files:
    return iter(())


@dataclass(frozen=True, slots=True)
class Holding:
    """What one app holds."""

    name: str
    order: int
    """Whoever looks things up by what another app holds is erased before it: a smaller number comes first."""
    export: Callable[[Person], Mapping[str, Any]]
    """Plain values for JSON, by a name that people understand."""
    erase: Callable[[Person], Mapping[str, int]]
    """Erases inside the caller's transaction, stored files included; returns how much of what, in words for people.
    Called again after a failure it goes on."""
    files: Callable[[Person], Files] = _no_files
    """Names and contents of files that belong to the export."""


_holdings: dict[str, Holding] = {}


def register(holding: Holding) -> None:
    """Let exports and erasures reach what an app holds. Registering again under its name replaces it."""
    _holdings[holding.name] = holding


def holdings() -> list[Holding]:
    """Everything that is registered, in the order of erasure."""
    return sorted(_holdings.values(), key=lambda holding: holding.order)
