"""Ordered rules over the words of a server. PURE.

A rule's pattern is one regular expression per line; the rule matches where one of its lines does. Rules are tried in
their order.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from bounces.parsing.patterns import Line, line
from bounces.qualification.words import masked
from deliveries.sending.verdict import FailureType, Reason

MAX_TEXT_CHARACTERS: Final = 4_000
"""Of a text that is tried; refusals are shorter."""


class RuleError(ValueError):
    """A rule cannot be used; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table: what a matching text means."""

    name: str
    pattern: str
    """One regular expression per line, for text in lower case whose addresses are ``*`` and links ``#url#``."""
    type: FailureType
    reason: Reason
    comment: str = ""
    general: bool = False
    """Asked only of a server's own words, and only where its status code does not say more."""


class Rules:
    """Rules ready to use. Raises :class:`RuleError` for a pattern that is no regular expression."""

    __slots__ = ("_find", "_lines", "rules", "version")

    def __init__(self, rules: Iterable[Rule], version: int = 0) -> None:
        self.rules = tuple(rules)
        self.version = version
        lines = self._lines = [(each, rule) for rule in self.rules for each in _lines(rule)]

        def find(text: str) -> Rule | None:
            for each, rule in lines:
                if each.matches(text):
                    return rule
            return None

        # Servers refuse thousands of messages in the same words.
        self._find = lru_cache(maxsize=4_096)(find)

    def find(self, text: str) -> Rule | None:
        """The first rule that matches the text; None when none does."""
        return self._find(masked(text[:MAX_TEXT_CHARACTERS])) if text else None

    def matches(self, text: str) -> list[tuple[Rule, str, str]]:
        """Every line that matches the text, with its rule and the part of the masked text that it matches; the first
        of them is what :meth:`find` decides by."""
        whole = masked(text[:MAX_TEXT_CHARACTERS])
        return [(rule, each.pattern, part) for each, rule in self._lines if (part := each.part_of(whole)) is not None]


def _lines(rule: Rule) -> list[Line]:
    if not rule.name.strip():
        raise RuleError("A rule needs a name.")
    lines = []
    for pattern in filter(None, map(str.strip, rule.pattern.splitlines())):
        try:
            lines.append(line(pattern))
        except re.error as error:
            raise RuleError(f"Rule “{rule.name}”: “{pattern[:100]}” is no regular expression: {error}.") from error
        if lines[-1].matches(""):
            raise RuleError(f"Rule “{rule.name}”: “{pattern[:100]}” matches every text.")
    if not lines:
        raise RuleError(f"Rule “{rule.name}” has no pattern.")
    return lines


def load(path: Path) -> Rules:
    """The rules in a TOML file: a `version` and `[[rule]]` tables. Raises :class:`RuleError`."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    rules = []
    for row in table["rule"]:
        try:
            rules.append(
                Rule(
                    row["name"],
                    row["pattern"],
                    FailureType(row["type"]),
                    Reason[row["reason"]],
                    row.get("comment", ""),
                    row.get("general", False),
                )
            )
        except (KeyError, ValueError) as error:
            raise RuleError(f"{path.name}: the rule {row.get('name', row)} is not complete: {error}.") from error
    return Rules(rules, table["version"])


DEFAULTS: Final = load(Path(__file__).with_name("rules.toml"))
"""The rules that come with this version."""
