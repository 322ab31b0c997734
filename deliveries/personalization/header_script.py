"""The script of additional SMTP headers: one ``name: value`` a line, personalization and conditions allowed.

A name is written out, so that everything but the values can be judged before a message is made. Lines that hold nothing
but ``{% if %}``, ``{% elif %}``, ``{% else %}``, ``{% endif %}``, ``{% set %}`` or a comment are no headers.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from jinja2 import TemplateSyntaxError

from deliveries.personalization.sandbox import Environment

MAX_NAME = 70
MAX_HEADERS = 50

_EXPRESSION = "\ue000"
"""Stands for what an expression writes."""

# RFC 5322, section 3.6.8.
_FIELD_NAME = re.compile(r"[!-9;-~]+")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_TRACE = "It is written by the servers on the way."
_OURS = "It is written by the delivery itself."
_PROTECTED = {
    "from": "Set the sender address instead.",
    "sender": "Set the sender address instead.",
    "subject": "Set the subject instead.",
    "to": _OURS,
    "cc": "A message goes to one person.",
    "bcc": "A message goes to one person; for copies, archive the e-mails.",
    "date": _OURS,
    "message-id": _OURS,
    "list-unsubscribe": "It is written by the delivery itself, for one click.",
    "list-unsubscribe-post": "It is written by the delivery itself, for one click.",
    "return-path": "Set the error address instead.",
    "received": _TRACE,
    "received-spf": _TRACE,
    "delivered-to": _TRACE,
    "authentication-results": _TRACE,
}
_PROTECTED_BEGINNINGS = {
    "content-": "It follows from the content.",
    "mime-": "It follows from the content.",
    "dkim-": "Keys are under “DKIM keys”.",
    "arc-": _TRACE,
    "resent-": _TRACE,
}
_STRUCTURE = frozenset({"if", "elif", "else", "endif", "set"})

USUAL = (
    ("Precedence", "Precedence: bulk"),
    ("List-Id", "List-Id: Newsletter <newsletter.example.com>"),
    ("Feedback-ID", "Feedback-ID: {{ delivery.code }}:newsletter:example"),
    ("X-Mailer", "X-Mailer: Campaign"),
    ("Auto-Submitted", "Auto-Submitted: auto-generated"),
    ("Reply-To", "Reply-To: Service <service@example.com>"),
    ("Importance", "Importance: normal"),
    ("Tag", "X-Tag: {{ delivery.code }}"),
)
"""Headers that are often wanted: what people call them, and the line."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be said about a line (from 1). One that ``blocks`` makes the script unusable."""

    line: int
    sentence: str
    blocks: bool = True

    def __str__(self) -> str:
        return f"Line {self.line}: {self.sentence}"


@dataclass(slots=True)
class _Line:
    """A line as it is written out: expressions are one character, tags and comments are taken out."""

    number: int
    text: str = ""
    has_tags: bool = False
    branches: tuple[tuple[int, int], ...] = ()
    """The conditions around the line: which one, and which of its branches."""
    problems: list[str] = field(default_factory=list)


def findings(script: str, *, taken: frozenset[str] = frozenset()) -> list[Finding]:
    """Everything there is to say about a script, in the order of its lines; nothing about the fields it uses.

    ``taken`` are names, in lower case, of headers that the delivery writes because of its other properties.
    """
    if not script.strip():
        return []
    try:
        lines = _lines(script)
    except TemplateSyntaxError as error:
        return [Finding(error.lineno, f"{(error.message or 'The expression is not complete').rstrip('.')}.")]
    found: list[Finding] = []
    headers: dict[str, list[_Line]] = {}
    last = len(lines)
    for line in lines:
        found += [Finding(line.number, sentence) for sentence in line.problems]
        if not line.text.strip():
            if not line.has_tags and line.number != last:
                found.append(Finding(line.number, "This line is empty. It is left out; remove it.", blocks=False))
            continue
        found += [Finding(line.number, *problem) for problem in _problems(line, taken)]
        name = line.text.partition(":")[0].strip().lower()
        if any(_together(line.branches, other.branches) for other in headers.get(name, ())):
            found.append(Finding(line.number, f"“{line.text.partition(':')[0].strip()}” stands here a second time."))
        headers.setdefault(name, []).append(line)
    if len(headers) > MAX_HEADERS:
        found.append(Finding(1, f"There are more than {MAX_HEADERS} headers."))
    return sorted(found, key=lambda finding: finding.line)


def _lines(script: str) -> list[_Line]:
    """The script's lines. Raises ``TemplateSyntaxError``."""
    lines = [_Line(1)]
    open_conditions: list[list[int]] = []
    conditions = 0
    token_kinds = iter(Environment(autoescape=False).lex(script))
    for number, kind, value in token_kinds:
        if kind == "data":
            _write(lines, number, value, open_conditions)
        elif kind == "variable_begin":
            lines[-1].text += _EXPRESSION
            if _skip(token_kinds, "variable_end") is None:
                lines[-1].problems.append("An expression is not closed: }} is missing.")
        elif kind.startswith(("comment", "linecomment")):
            lines[-1].has_tags = True
        elif kind == "block_begin":
            keyword = _skip(token_kinds, "block_end")
            lines[-1].has_tags = True
            if keyword is None:
                lines[-1].problems.append("A tag is not closed: %} is missing.")
            elif keyword not in _STRUCTURE:
                lines[-1].problems.append(f"“{keyword}” cannot be used here. Use if, elif, else and endif.")
            elif keyword == "if":
                conditions += 1
                open_conditions.append([conditions, 0])
            elif keyword in {"elif", "else"} and open_conditions:
                open_conditions[-1][1] += 1
            elif keyword == "endif" and open_conditions:
                open_conditions.pop()
    return lines


def _write(lines: list[_Line], number: int, text: str, open_conditions: list[list[int]]) -> None:
    branches = tuple((condition, branch) for condition, branch in open_conditions)
    first, *others = text.split("\n")
    lines[-1].text += first
    if not lines[-1].text.strip() or not lines[-1].branches:
        lines[-1].branches = branches
    for offset, other in enumerate(others, start=1):
        lines.append(_Line(number + offset, other, branches=branches))


def _skip(tokens: Iterator[tuple[int, str, str]], end: str) -> str | None:
    """Pass over a tag; its first word, or None when it has no end."""
    keyword = ""
    for _, kind, value in tokens:
        if kind == end:
            return keyword
        if kind == "name" and not keyword:
            keyword = value
    return None


def _problems(line: _Line, taken: frozenset[str]) -> Iterator[tuple[str, bool]]:
    text = line.text
    if _CONTROL.search(text):
        yield "There is a control character in this line. Delete the line and write it again.", True
    if text[0] in " \t":
        yield "The line begins with a blank. Remove it; a header cannot be continued on a second line.", True
    elif text != text.rstrip():
        yield "There are blanks at the end of the line. They are left out; remove them.", False
    name, colon, value = text.partition(":")
    if not colon:
        yield "A colon is missing. Write name: value.", True
        return
    if name != name.rstrip():
        yield "There is a blank before the colon. Remove it.", True
    name = name.strip()
    if _EXPRESSION in name:
        yield "The name of a header cannot be personalized. Write it out; its value may be personalized.", True
    elif not name:
        yield "The name before the colon is missing.", True
    elif not _FIELD_NAME.fullmatch(name) or len(name) > MAX_NAME:
        yield (
            f"“{name[:MAX_NAME]}” cannot be the name of a header: letters, digits and hyphens, {MAX_NAME} at most.",
            True,
        )
    elif why := _why_protected(name.lower(), taken):
        yield f"“{name}” cannot be set here. {why}", True
    if not value.strip() and not line.has_tags:
        yield "The value behind the colon is missing; the header is left out.", False


def _why_protected(name: str, taken: frozenset[str]) -> str:
    if name in taken:
        return "The delivery writes it already, because of its other properties."
    beginnings = (why for beginning, why in _PROTECTED_BEGINNINGS.items() if name.startswith(beginning))
    return _PROTECTED.get(name) or next(beginnings, "")


def _together(one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...]) -> bool:
    """Whether two lines can be written in the same message: they are not in two branches of one condition."""
    branch_of = dict(other)
    return all(branch_of.get(condition, branch) == branch for condition, branch in one)
