"""Whether a regular expression that a person typed may be tried on every refusal. PURE.

Python's engine tries every way in which an expression can be laid over a text, and knows no time limit. So the ways are
counted beforehand: a repetition has as many as it has lengths, a sequence of repetitions the product of theirs, and a
repetition of what can itself be laid in several ways has without end. What remains is polynomial and bounded;
:mod:`bounces.trial` measures it on hard texts.
"""

import importlib
import re
from typing import Any, Final

from bounces.qualification.rules import MAX_TEXT_CHARACTERS, Rule, RuleError

MAX_WAYS: Final = 500_000
MAX_LINES: Final = 300
MAX_LINE_CHARACTERS: Final = 1_000

# The standard library's own parser of expressions; it has no public name.
_parser: Any = importlib.import_module("re._parser")
_REPEATS: Final = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}
_TOO_MANY: Final = 10**9


def check(rule: Rule) -> None:
    """Raises :class:`RuleError` for a rule of which a line could take long, and for one that is too big."""
    lines = [each.strip() for each in rule.pattern.splitlines() if each.strip()]
    if len(lines) > MAX_LINES:
        raise RuleError(f"A rule has at most {MAX_LINES} lines; this one has {len(lines):,}. Make two of it.")
    for each in lines:
        if len(each) > MAX_LINE_CHARACTERS:
            raise RuleError(f"A line has at most {MAX_LINE_CHARACTERS} characters: “{each[:60]}…” is longer.")
        try:
            parsed = _parser.parse(each)
        except (re.error, OverflowError, RecursionError) as error:
            raise RuleError(f"“{each[:100]}” is no regular expression: {error}.") from error
        if _ways(parsed) > MAX_WAYS:
            raise RuleError(
                f"“{each[:100]}” could take too long on some texts. Give its repetitions limits, such as .{{0,40}} "
                "for .*, and repeat nothing that repeats something itself."
            )


def _ways(items: Any) -> int:
    """In how many ways at most the expression can be laid over a text from one place on."""
    product = 1
    for operation, argument in items:
        product = min(product * _ways_of(str(operation), argument), _TOO_MANY)
    return product


def _ways_of(operation: str, argument: Any) -> int:
    if operation in _REPEATS:
        return _ways_of_repeat(*argument)
    if operation == "BRANCH":
        return _ways_of_branches(argument[1])
    if operation == "SUBPATTERN":
        return _ways(argument[3])
    if operation in ("ASSERT", "ASSERT_NOT"):
        return _ways(argument[1])
    if operation == "ATOMIC_GROUP":
        return _ways(argument)
    if operation == "GROUPREF_EXISTS":
        return sum(_ways(each) for each in argument[1:] if each)
    return 1


def _ways_of_repeat(least: int, most: Any, items: Any) -> int:
    times = min(int(most), MAX_TEXT_CHARACTERS)
    if times <= 1:
        return _ways(items)
    if _ways(items) > 1 or _is_ambiguous(items):
        return _TOO_MANY
    return max(times - least + 1, 1)


def _ways_of_branches(branches: Any) -> int:
    return max(_ways(branch) for branch in branches)


def _is_ambiguous(items: Any) -> bool:
    """Whether one text may match in two ways, as *aa* does for ``(?:a|aa)`` repeated: it has branches of which one may
    begin another, or something that may be left out."""
    for operation, argument in items:
        name = str(operation)
        if name in _REPEATS and (argument[0] != argument[1] or _is_ambiguous(argument[2])):
            return True
        if name == "SUBPATTERN" and _is_ambiguous(argument[3]):
            return True
        if name == "BRANCH" and not _are_apart(argument[1]):
            return True
    return False


def _are_apart(branches: Any) -> bool:
    """All are fixed texts, and none begins with another."""
    texts = [
        tuple(argument if str(operation) == "LITERAL" else None for operation, argument in each) for each in branches
    ]
    if any(None in text or not text for text in texts):
        return False
    return not any(one != other and other[: len(one)] == one for one in texts for other in texts)
