"""A query as JSON keeps it, read into values. PURE.

A group is ``{"match": "all" | "any" | "none", "items": […]}``, a condition ``{"field": …, "is": …, "value": …}``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

MOST_CONDITIONS: Final = 200
MOST_LEVELS: Final = 6


class QueryProblem(Exception):
    """The query cannot be used. ``str()`` is a sentence for people."""


class Match(StrEnum):
    """How many of a group's items must hold."""

    ALL = "all"
    ANY = "any"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Condition:
    """A field, what is asked of it, and with what value (JSON)."""

    field: str
    operator: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Group:
    """Items of which all, any or none must hold."""

    match: Match
    items: "tuple[Group | Condition, ...]"

    def conditions(self) -> Iterator[Condition]:
        """Every condition in it, at any level."""
        for item in self.items:
            if isinstance(item, Condition):
                yield item
            else:
                yield from item.conditions()


def read(definition: Any) -> Group:
    """The query of a definition. Raises :class:`QueryProblem` when it has another form, is empty or too large."""
    group = _group(definition, 1)
    number = sum(1 for _ in group.conditions())
    if number > MOST_CONDITIONS:
        raise QueryProblem(f"The query has {number} conditions; {MOST_CONDITIONS} is the most. Use lists instead.")
    return group


def _group(values: Any, level: int) -> Group:
    if not isinstance(values, Mapping):
        raise QueryProblem("The query is not a group of conditions.")
    if level > MOST_LEVELS:
        raise QueryProblem(f"Groups stand in each other {level} times; {MOST_LEVELS} is the most.")
    match, items = values.get("match"), values.get("items")
    if match not in tuple(Match):
        raise QueryProblem("A group says neither all, any nor none.")
    if not isinstance(items, list) or not items:
        raise QueryProblem("A group is empty. Add a condition to it, or remove the group.")
    return Group(Match(match), tuple(_item(item, level) for item in items))


def _item(values: Any, level: int) -> Group | Condition:
    if isinstance(values, Mapping) and "items" in values:
        return _group(values, level + 1)
    if not isinstance(values, Mapping):
        raise QueryProblem("A condition has no field. Choose one.")
    field, operator = values.get("field"), values.get("is")
    if not isinstance(field, str) or not field:
        raise QueryProblem("A condition has no field. Choose one.")
    if not isinstance(operator, str):
        raise QueryProblem(f"The condition on “{field}” does not say what is asked of it.")
    return Condition(field, operator, values.get("value"))
