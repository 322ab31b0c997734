"""The filters of the content language. All are pure, bounded in their output, and take missing values as empty."""

import re
import urllib.parse
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel import dates as babel_dates
from babel import numbers as babel_numbers
from jinja2 import UndefinedError, pass_context
from jinja2.runtime import Context, Undefined
from markupsafe import Markup, escape

from deliveries.personalization.budget import present
from deliveries.personalization.errors import ValueProblem

MAX_LENGTH = 10_000
"""Characters that a filter may produce from one value."""

_FORMATTING = 2_000  # what writing a number or date costs, in characters gone through
_FORMATS = frozenset({"short", "medium", "long", "full"})
_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)
_SMALL_PARTICLES = frozenset(
    {"de", "der", "den", "van", "von", "zu", "zur", "la", "le", "du", "des", "y", "e", "di", "da"}
)


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
    present().spend(_FORMATTING)
    if form == "iso":
        return moment.date().isoformat() if isinstance(moment, datetime) else moment.isoformat()
    if form not in _FORMATS:
        raise ValueProblem("The filter date knows short, medium, long, full and iso.")
    return babel_dates.format_date(moment, format=form, locale=_locale(context))


@pass_context
def format_number(context: Context, value: Any, digits: int | None = None) -> str:
    """A number in the recipient's language, with a fixed number (0 to 10) of digits after the point if asked."""
    if _absent(value):
        return ""
    pattern = None
    if digits is not None:
        places = _whole(digits, 0, 10)
        pattern = "#,##0" + ("." + "0" * places if places else "")
    return babel_numbers.format_decimal(_number(value), format=pattern, locale=_locale(context))


@pass_context
def format_currency(context: Context, value: Any, currency: str) -> str:
    """An amount of money in the recipient's language; ``currency`` is an ISO 4217 code such as EUR."""
    if _absent(value):
        return ""
    if not re.fullmatch(r"[A-Z]{3}", str(currency)):
        raise ValueProblem("The filter currency needs a currency of three letters, such as EUR.")
    return babel_numbers.format_currency(_number(value), str(currency), locale=_locale(context))


def default(value: Any, other: Any = "", empty_too: bool = True) -> Any:  # noqa: FBT001, FBT002 - as in Jinja2
    """``other`` where there is no value (or, unless told otherwise, an empty one)."""
    return other if value is None or isinstance(value, Undefined) or (empty_too and value == "") else value


def truncate(value: Any, length: int = 255, end: str = "…") -> str:
    """The text cut to ``length`` characters."""
    text, end, length = _text(value), _text(end)[:20], _whole(length, 0, MAX_LENGTH)
    return text if len(text) <= length else text[: max(length - len(end), 0)] + end


def replace(value: Any, old: str, new: str) -> str:
    """The text with every ``old`` replaced."""
    text, old, new = _text(value), _text(old), _text(new)
    if len(new) > 100:
        raise ValueProblem("The filter replace puts in at most 100 characters.")
    return text.replace(old, new)[:MAX_LENGTH] if old else text


def nl2br(value: Any) -> Markup:
    """Text with its line breaks as ``<br>``; everything else is escaped."""
    lines = re.split(r"\r\n|\r|\n", _text(value))
    return Markup("<br>").join(escape(line) for line in lines)


def join(value: Any, separator: str = ", ") -> str:
    """The entries of a list behind each other."""
    entries = value[:1000] if isinstance(value, list | tuple) else [] if _absent(value) else [value]
    return _text(separator)[:20].join(_text(entry) for entry in entries)[:MAX_LENGTH]


def urlencode(value: Any) -> str:
    """The text as part of a URL."""
    return urllib.parse.quote(_text(value), safe="")


def rounded(value: Any, digits: int = 0) -> float:
    """A number rounded to 0 to 10 digits after the point."""
    return round(float(_number(0 if _absent(value) else value)), _whole(digits, 0, 10))


def length(value: Any) -> int:
    """Entries of a list, characters of a text."""
    return len(value) if isinstance(value, list | tuple) else len(_text(value))


def first(value: Any) -> Any:
    """The first entry of a list or character of a text."""
    return value[0] if isinstance(value, list | tuple | str) and value else ""


def last(value: Any) -> Any:
    """The last entry of a list or character of a text."""
    return value[-1] if isinstance(value, list | tuple | str) and value else ""


def whole(value: Any, other: Any = 0) -> Any:
    """A whole number; ``other`` for what is none."""
    return _converted(int, value, other)


def decimal(value: Any, other: Any = 0.0) -> Any:
    """A number with a decimal point; ``other`` for what is none."""
    return _converted(float, value, other)


def _absent(value: Any) -> bool:
    return value is None or isinstance(value, Undefined) or (isinstance(value, str) and not value.strip())


def _text(value: Any) -> str:
    """The value as text of bounded length, counted against the message's budget."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return join(value)
    text = str(value)[:MAX_LENGTH]
    present().spend(len(text))
    return text


def _number(value: Any) -> Decimal:
    """The value as number. Raises :class:`ValueProblem` for what is none, or too large to be written out."""
    try:
        present().spend(_FORMATTING)
        number = Decimal(_text(value).strip())
    except InvalidOperation:
        raise ValueProblem(
            f"“{_shown(value)}” is not a number. Write it with digits and a point, such as 1234.5."
        ) from None
    if not number.is_finite() or (number and not -20 < number.adjusted() < 20):
        raise ValueProblem(f"The number “{_shown(value)}” is too large or too small to be written out.")
    return number


def _whole(value: Any, least: int, most: int) -> int:
    """A filter's argument as whole number within its limits."""
    return int(min(max(_number(value), Decimal(least)), Decimal(most)))


def _moment(value: Any) -> date | datetime | None:
    if _absent(value):
        return None
    if isinstance(value, date):
        return value
    text = _text(value).strip()
    try:
        return datetime.fromisoformat(text) if len(text) > 10 else date.fromisoformat(text)
    except ValueError:
        raise ValueProblem(
            f"“{_shown(value)}” is not a date. Write it as year-month-day, such as 2026-05-31."
        ) from None


def _shown(value: Any) -> str:
    """The value for a sentence that is kept: no database takes NUL or half a character, which an author can write."""
    text = _text(value)
    text = text if len(text) <= 40 else f"{text[:39]}…"
    return text if text.isprintable() else "".join(each if each.isprintable() else "�" for each in text)


def _locale(context: Context) -> Locale:
    return _known_locale(str(context.resolve("_language") or "en")[:35])


@lru_cache(maxsize=200)
def _known_locale(language: str) -> Locale:
    """The language's conventions; those of the main language, then English, where Babel does not know it."""
    for name in (language.replace("-", "_"), re.split(r"[-_]", language)[0]):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def _upper(value: Any) -> str:
    return _text(value).upper()


def _lower(value: Any) -> str:
    return _text(value).lower()


def _capitalize(value: Any) -> str:
    return _text(value).capitalize()


def _title(value: Any) -> str:
    return _text(value).title()


def _trim(value: Any) -> str:
    return _text(value).strip()


def _escape(value: Any) -> Markup:
    return value if isinstance(value, Markup) else escape(_text(value))


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
    "upper": _upper,
    "lower": _lower,
    "capitalize": _capitalize,
    "title": _title,
    "trim": _trim,
    "length": length,
    "first": first,
    "last": last,
    "int": whole,
    "float": decimal,
    "round": rounded,
    "escape": _escape,
    "e": _escape,
}


def _converted(kind: type, value: Any, other: Any) -> Any:
    try:
        number = kind(_text(value) if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError, UndefinedError):
        return other
    return number if abs(number) < 1e15 else other  # so that nothing is “nan” or “inf” either
