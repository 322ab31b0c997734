"""The filters of the content language. All are pure, bounded in their output, and take missing values as empty."""

import re
import urllib.parse
from datetime import date, datetime
from typing import Any

from babel import Locale, UnknownLocaleError
from babel import dates as babel_dates
from babel import numbers as babel_numbers
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

MAX_LENGTH = 10_000
"""Characters that a filter may produce from one value."""

_FORMATS = frozenset({"short", "medium", "long", "full"})
_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)
_SMALL_PARTICLES = frozenset({"de", "der", "den", "van", "von", "zu", "zur", "la", "le", "du", "des", "y", "e", "di", "da"})


def proper(value: Any) -> str:
    """A name as people write it: ``jean-luc O'NEIL`` becomes ``Jean-Luc O'Neil``. Mixed case is left as it is."""
    text = _text(value)
    if text != text.lower() and text != text.upper():
        return text
    words = text.split(" ")
    return " ".join(
        word.lower() if position and word.lower() in _SMALL_PARTICLES else _WORD.sub(_capitalised, word)
        for position, word in enumerate(words)
    )


def _capitalised(match: re.Match[str]) -> str:
    return match[0][:1].upper() + match[0][1:].lower()


@pass_context
def format_date(context: Context, value: Any, form: str = "long") -> str:
    """A date in the recipient's language: *short*, *medium*, *long*, *full* or *iso*; empty stays empty."""
    moment = _moment(value)
    if moment is None:
        return ""
    if form == "iso":
        return moment.date().isoformat() if isinstance(moment, datetime) else moment.isoformat()
    if form not in _FORMATS:
        raise ValueError("the filter date knows short, medium, long, full and iso")
    return babel_dates.format_date(moment, format=form, locale=_locale(context))


@pass_context
def format_number(context: Context, value: Any, digits: int | None = None) -> str:
    """A number in the recipient's language, with a fixed number of digits after the point if asked."""
    if value in (None, ""):
        return ""
    pattern = None if digits is None else "#,##0" + ("." + "0" * min(int(digits), 10) if digits else "")
    return babel_numbers.format_decimal(_number(value), format=pattern, locale=_locale(context))


@pass_context
def format_currency(context: Context, value: Any, currency: str) -> str:
    """An amount of money in the recipient's language; ``currency`` is an ISO 4217 code such as EUR."""
    if value in (None, ""):
        return ""
    return babel_numbers.format_currency(_number(value), currency, locale=_locale(context))


def default(value: Any, other: Any = "", empty_too: bool = True) -> Any:
    """``other`` where there is no value (or, unless told otherwise, an empty one)."""
    return other if value is None or (empty_too and value == "") else value


def truncate(value: Any, length: int = 255, end: str = "…") -> str:
    """The text cut to ``length`` characters."""
    text = _text(value)
    return text if len(text) <= length else text[: max(int(length) - len(end), 0)] + end


def replace(value: Any, old: str, new: str) -> str:
    """The text with every ``old`` replaced."""
    text = _text(value)
    if len(new) > 100:
        raise ValueError("the filter replace puts in at most 100 characters")
    return text.replace(old, new)[:MAX_LENGTH] if old else text


def nl2br(value: Any) -> Markup:
    """Text with its line breaks as ``<br>``; everything else is escaped."""
    return Markup("<br>").join(escape(_text(value)).splitlines())  # noqa: S704 - the parts are escaped


def join(value: Any, separator: str = ", ") -> str:
    """The entries of a list behind each other."""
    return separator[:20].join(_text(entry) for entry in (value or [])[:1000])


def urlencode(value: Any) -> str:
    """The text as part of a URL."""
    return urllib.parse.quote(_text(value), safe="")


def _text(value: Any) -> str:
    return "" if value is None else str(value)[:MAX_LENGTH]


def _number(value: Any) -> float | int | str:
    return value if isinstance(value, int | float) else str(value).strip()


def _moment(value: Any) -> date | datetime | None:
    if value in (None, ""):
        return None
    if isinstance(value, date):
        return value
    text = str(value)
    return datetime.fromisoformat(text) if len(text) > 10 else date.fromisoformat(text)


def _locale(context: Context) -> Locale:
    language = context.resolve("language_of_message") or "en"
    try:
        return Locale.parse(str(language).replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


FILTERS: dict[str, Any] = {
    "proper": proper,
    "date": format_date,
    "number": format_number,
    "currency": format_currency,
    "default": default,
    "d": default,
    "truncate": truncate,
    "replace": replace,
    "nl2br": nl2br,
    "join": join,
    "urlencode": urlencode,
    "upper": lambda value: _text(value).upper(),
    "lower": lambda value: _text(value).lower(),
    "capitalize": lambda value: _text(value).capitalize(),
    "title": lambda value: _text(value).title(),
    "trim": lambda value: _text(value).strip(),
    "length": lambda value: len(value) if isinstance(value, str | list | tuple) else len(_text(value)),
    "first": lambda value: value[0] if value else "",
    "last": lambda value: value[-1] if value else "",
    "int": lambda value, other=0: _converted(int, value, other),
    "float": lambda value, other=0.0: _converted(float, value, other),
    "round": lambda value, digits=0: round(float(value or 0), int(digits)),
    "escape": lambda value: escape(_text(value)),
    "e": lambda value: escape(_text(value)),
}


def _converted(kind: type, value: Any, other: Any) -> Any:
    try:
        return kind(value)
    except (TypeError, ValueError):
        return other
