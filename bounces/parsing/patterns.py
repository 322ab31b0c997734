"""Many regular expressions over one text, quickly. PURE.

Hundreds of lines are tried on every text, and nearly none matches. Each is first asked for the longest literal it
cannot match without: looking for a literal costs a tenth of trying an expression.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_LEAST_LITERAL: Final = 3
_ESCAPE = re.compile(r"\\(?:[A-Za-z]|\d+)|\[\^?\]?(?:\\.|[^\]\\])*\]")
_QUANTIFIED = re.compile(r".(?:[?*]|\{\d*,?\d*\})[?+]?", re.DOTALL)
_SPECIAL: Final = ".*+?()[]{}|^$"


@dataclass(frozen=True, slots=True)
class Line:
    """One expression, and what every text it matches contains."""

    pattern: str
    literal: str
    expression: re.Pattern[str] | None
    """None where the literal is the whole line."""

    def matches(self, text: str) -> bool:
        """Whether the expression occurs in the text."""
        return self.literal in text and (self.expression is None or self.expression.search(text) is not None)

    def part_of(self, text: str) -> str | None:
        """The part of the text that matches."""
        if not self.matches(text):
            return None
        found = self.expression.search(text) if self.expression else None
        return found[0] if found else self.literal


class Patterns:
    """Expressions of which any may occur in a text."""

    __slots__ = ("_lines",)

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = [line(each) for each in lines]

    def occur_in(self, text: str) -> bool:
        """Whether one of the expressions occurs in the text, which is in lower case."""
        return any(each.matches(text) for each in self._lines)


def line(pattern: str) -> Line:
    """A line ready to use. Raises :class:`re.error` for what is no regular expression."""
    expression = re.compile(pattern)
    literal = literal_of(pattern)
    return Line(pattern, literal, None if literal == pattern else expression)


def literal_of(pattern: str) -> str:
    """The longest text that every match of the pattern contains; empty where none is certain.

    >>> literal_of(r"(?:mail)?box (?:is )?full")
    'box '
    """
    if "(?i" in pattern:
        return ""
    flat = _without_groups(pattern)
    if "|" in flat.replace("\\|", ""):
        return ""
    flat = _ESCAPE.sub("\0", flat)
    flat = re.sub(r"\\(.)", lambda match: f"\1{ord(match[1]):06d}" if match[1] in _SPECIAL else match[1], flat)
    flat = re.sub("\1\\d{6}(?:[?*]|\\{\\d*,?\\d*\\})", "\0", flat)
    flat = _QUANTIFIED.sub("\0", flat)
    flat = re.sub(r"[.^$+]", "\0", flat)
    flat = re.sub("\1(\\d{6})", lambda match: chr(int(match[1])), flat)
    longest = max(flat.split("\0"), key=len)
    return longest if len(longest) >= _LEAST_LITERAL else ""


def _without_groups(pattern: str) -> str:
    """The pattern with NUL in place of each group, whatever quantifier follows it."""
    out: list[str] = []
    depth = 0
    in_class = escaped = False
    for character in pattern:
        keep = depth == 0
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
        elif character == "(":
            depth += 1
            keep = False
        elif character == ")" and depth:
            depth -= 1
            keep = False
            if depth == 0:
                out.append("\0")
        if keep:
            out.append(character)
    return "".join(out)
