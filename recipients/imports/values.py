"""The values of custom attributes: from a cell's text to JSON of the attribute's kind."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from recipients.models import AttributeKind, MailFormat

Value = str | int | float | bool

_NUMBER = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30}|,(?:\d{1,2}|\d{4,30}))?")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_YES = frozenset({"1", "true", "yes", "y", "ja", "oui", "sí", "si", "x"})
_NO = frozenset({"0", "false", "no", "n", "nein", "non"})


class CellError(ValueError):
    """A cell does not fit its field. ``str()`` is a sentence for people."""


def number(text: str) -> int | float:
    """A number with a decimal point or comma; a comma before three digits could mean thousands and is refused."""
    if not _NUMBER.fullmatch(text):
        raise CellError(f"“{text}” is not a number. Write it as 1234.5.")
    plain = text.replace(",", ".")
    return float(plain) if "." in plain else int(plain)


def day(text: str) -> str:
    """A date as ISO 8601; 31.12.2026 is understood, 01/02/2026 is refused because it may mean two days."""
    dotted = _DAY_FIRST.fullmatch(text)
    try:
        return (date(*map(int, reversed(dotted.groups()))) if dotted else date.fromisoformat(text)).isoformat()
    except ValueError:
        raise CellError(f"“{text}” is not a date. Write it as 2026-12-31.") from None


def moment(text: str) -> str:
    """A date and time as ISO 8601 with its offset; without one it is UTC."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise CellError(f"“{text}” is not a date and time. Write it as 2026-12-31 14:30.") from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).isoformat()


def yes_or_no(text: str) -> bool:
    """Yes or no in English, German, French or Spanish, or as 1 and 0."""
    folded = text.casefold()
    if folded not in _YES | _NO:
        raise CellError(f"“{text}” is neither yes nor no. Write yes or no.")
    return folded in _YES


def mail_format(text: str) -> str:
    """The format that a person wants, as the recipient keeps it."""
    folded = text.casefold()
    if folded in {"text", "plain", "txt"}:
        return MailFormat.TEXT.value
    if folded in {"", "both", "html", "multipart"}:
        return MailFormat.BOTH.value
    raise CellError(f"“{text}” is no mail format. Write text or html.")


PARSERS: Mapping[str, Callable[[str], Value]] = {
    AttributeKind.TEXT: str,
    AttributeKind.NUMBER: number,
    AttributeKind.DATE: day,
    AttributeKind.DATETIME: moment,
    AttributeKind.BOOLEAN: yes_or_no,
}
"""Each takes a cell's text without spaces around it, gives the JSON value and raises :class:`CellError`."""
