"""Many regular expressions over one text, quickly. PURE.

Hundreds of lines are tried on every text, and nearly none matches. Each is first asked for the literals one of which it
cannot match without: looking for a literal costs a fraction of trying an expression.
"""

import importlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

_LEAST_LITERAL: Final = 3
_MOST_LITERALS: Final = 48

# The standard library's own parser of expressions; it has no public name.
_parser: Any = importlib.import_module("re._parser")
_REPEATS: Final = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}

_Literals = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One expression, and literals of which every text that it matches contains one."""

    pattern: str
    literals: _Literals
    """Empty where none is certain."""
    expression: re.Pattern[str] | None
    """None where a literal is the whole line."""

    def matches(self, text: str) -> bool:
        """Whether the expression occurs in the text."""
        for literal in self.literals:
            if literal in text:
                break
        else:
            if self.literals:
                return False
        return self.expression is None or self.expression.search(text) is not None

    def part_of(self, text: str) -> str | None:
        """The part of the text that matches."""
        if not self.matches(text):
            return None
        found = self.expression.search(text) if self.expression else None
        return found[0] if found else self.pattern


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
    literals = literals_of(pattern)
    return Line(pattern, literals, None if literals == (pattern,) else expression)


def literals_of(pattern: str) -> _Literals:
    """Texts of which every match of the pattern contains at least one; none where that is not certain.

    >>> literals_of(r"(?:mail)?box (?:is )?full")
    ('box ',)
    >>> literals_of(r"(?:account|user) .{0,9}(?:closed|gone)")
    ('closed', 'gone')
    """
    parsed = _parser.parse(pattern)
    return () if parsed.state.flags & re.IGNORECASE else _of_sequence(parsed)


def _of_sequence(items: Any) -> _Literals:
    """The best that one of the items, one after the other, gives: long literals, then few."""
    return max(_each(items), key=lambda found: (min(map(len, found)), -len(found)), default=())


def _each(items: Any) -> Iterator[_Literals]:
    run = ""
    for operation, argument in (*items, ("END", None)):
        name = str(operation)
        if name == "LITERAL":
            run += chr(argument)
            continue
        if len(run) >= _LEAST_LITERAL or (run and not run.isascii()):
            yield (run,)
        run = ""
        if found := _of(name, argument):
            yield found


def _of(name: str, argument: Any) -> _Literals:
    if name == "SUBPATTERN":
        return () if argument[1] & re.IGNORECASE else _of_sequence(argument[3])
    if name == "ATOMIC_GROUP":
        return _of_sequence(argument)
    if name in _REPEATS:
        return _of_sequence(argument[2]) if argument[0] else ()
    if name == "BRANCH":
        found = [_of_sequence(branch) for branch in argument[1]]
        every = tuple(dict.fromkeys(literal for each in found for literal in each))
        return every if all(found) and len(every) <= _MOST_LITERALS else ()
    return ()
