"""Texts on which an expression has the most to try: made of what it repeats. PURE."""

import importlib
import re
import string
from collections.abc import Iterator
from typing import Any, Final

_parser: Any = importlib.import_module("re._parser")
_compiler: Any = importlib.import_module("re._compiler")
_REPEATS: Final = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}
_CHARACTERS: Final = f"{string.ascii_lowercase}{string.digits} {string.punctuation}éß"
"""Texts come in small letters; of other alphabets one letter is like another."""


def pieces(line: str) -> list[str]:
    """What a text may be made of to be hard for a regular expression: of the characters that it repeats, one of each
    sort that it tells apart, and one match of each group that it repeats."""
    parsed = _parser.parse(line)
    found = dict.fromkeys(_match_of(parsed, items) for items in _repeated(parsed))
    found |= dict.fromkeys(_told_apart(parsed))
    return [piece for piece in found if piece]


def _repeated(items: Any) -> Iterator[Any]:
    for operation, argument in items:
        if str(operation) in _REPEATS and argument[1] > 1:
            yield argument[2]
        for inner in _inside(str(operation), argument):
            yield from _repeated(inner)


def _inside(operation: str, argument: Any) -> list[Any]:
    """The expressions within one."""
    if operation in _REPEATS:
        return [argument[2]]
    if operation == "BRANCH":
        return list(argument[1])
    if operation == "SUBPATTERN":
        return [argument[3]]
    if operation in ("ASSERT", "ASSERT_NOT"):
        return [argument[1]]
    if operation == "ATOMIC_GROUP":
        return [argument]
    if operation == "GROUPREF_EXISTS":
        return [each for each in argument[1:] if each]
    return []


def _told_apart(parsed: Any) -> list[str]:
    """One character for each set of the repeated characters and classes that take it."""
    classes = [_compiled(parsed, item) for items in _repeated(parsed) for item in _single(items)]
    found = {tuple(bool(each.match(one)) for each in classes): one for one in reversed(_CHARACTERS)}
    return [one for taken, one in found.items() if any(taken)]


def _single(items: Any) -> Iterator[Any]:
    """What matches one character each."""
    for operation, argument in items:
        if str(operation) in ("LITERAL", "NOT_LITERAL", "IN", "ANY"):
            yield operation, argument
        for inner in _inside(str(operation), argument):
            yield from _single(inner)


def _compiled(parsed: Any, item: Any) -> re.Pattern[str]:
    made: re.Pattern[str] = _compiler.compile(_parser.SubPattern(parsed.state, [item]))
    return made


def _match_of(parsed: Any, items: Any) -> str:
    """Some text that the expression matches; of branches the first."""
    text = ""
    for operation, argument in items:
        name = str(operation)
        if name in ("LITERAL", "NOT_LITERAL", "IN", "ANY"):
            one = _compiled(parsed, (operation, argument))
            text += next((each for each in _CHARACTERS if one.match(each)), "")
        elif name in _REPEATS:
            text += _match_of(parsed, argument[2]) * max(argument[0], 1)
        elif name not in ("ASSERT", "ASSERT_NOT"):
            text += next((_match_of(parsed, inner) for inner in _inside(name, argument)), "")
        if len(text) > len(_CHARACTERS):
            break
    return text[: len(_CHARACTERS)]
