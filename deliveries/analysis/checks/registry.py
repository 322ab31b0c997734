"""What a check is, and every check there is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from types import MappingProxyType
from typing import Final, TypeVar

from deliveries.analysis.material import Material
from deliveries.models import CheckLevel, Level


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says: a level, one sentence for people, and the check's key (empty: the analysis itself)."""

    level: Level
    sentence: str
    check_key: str = ""

    @property
    def blocks(self) -> bool:
        """A delivery with this finding cannot be confirmed."""
        return self.level is Level.ERROR


class Phase(IntEnum):
    """When a check runs: with what the author wrote, or once the messages are written."""

    CONTENT = 1
    MESSAGES = 2


CheckFunction = Callable[[Material], Iterable[str | Finding]]
"""A plain sentence gets the level that the typology gives the check; a :class:`Finding` brings its own."""

F = TypeVar("F", bound=CheckFunction)


@dataclass(frozen=True, slots=True)
class Check:
    """A check as it was made; typologies may give it another order and level."""

    key: str
    label: str
    description: str
    function: CheckFunction
    phase: Phase
    order: int
    level: CheckLevel
    required: bool
    """Without it a delivery could not be sent at all: it always runs, and what it finds is an error."""

    def run(self, material: Material, level: Level) -> list[Finding]:
        """Findings, those without a level of their own at ``level``."""
        return [
            Finding(level, found, self.key) if isinstance(found, str) else replace(found, check_key=self.key)
            for found in self.function(material)
        ]


_checks: dict[str, Check] = {}
CHECKS: Final[Mapping[str, Check]] = MappingProxyType(_checks)
"""Every check by its key."""

USUAL_ORDER: Final = 50


def check(
    label: str,
    *,
    level: CheckLevel = CheckLevel.WARNING,
    order: int = USUAL_ORDER,
    phase: Phase = Phase.CONTENT,
    required: bool = False,
) -> Callable[[F], F]:
    """Register a check under its function's name; its docstring tells people why there is such a check.

    ``level`` and ``order`` count until a typology says otherwise. ``required``: it always runs first, as an error.
    """

    def register(function: F) -> F:
        key = function.__name__
        if key in _checks:
            raise ValueError(f"There are two checks called {key}.")
        description = " ".join((function.__doc__ or "").split())
        _checks[key] = Check(
            key=key,
            label=label,
            description=description,
            function=function,
            phase=phase,
            order=0 if required else order,
            level=CheckLevel.ERROR if required else level,
            required=required,
        )
        return function

    return register
