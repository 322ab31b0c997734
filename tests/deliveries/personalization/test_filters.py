from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.runtime import Context

from deliveries.personalization.errors import ValueProblem
from deliveries.personalization.filters import (
    MAX_LENGTH,
    default,
    format_currency,
    format_date,
    format_number,
    nl2br,
    proper,
    urlencode,
)
from deliveries.personalization.sandbox import Environment


def speaking(language: str | None) -> Context:
    return Environment(autoescape=False).from_string("").new_context({"_language": language})


@pytest.mark.parametrize(
    ("language", "form", "expected"),
    [
        ("en", "long", "May 31, 2026"),
        ("de", "long", "31. Mai 2026"),
        ("fr", "full", "dimanche 31 mai 2026"),
        ("ja", "long", "2026年5月31日"),
        ("en-GB", "short", "31/05/2026"),
        ("de_CH", "medium", "31.05.2026"),
        ("de-XX", "long", "31. Mai 2026"),
        ("no such language", "long", "May 31, 2026"),
        (None, "iso", "2026-05-31"),
    ],
)
@pytest.mark.parametrize("value", ["2026-05-31", "2026-05-31T10:00:00Z", datetime(2026, 5, 31, 10, tzinfo=UTC)])
def test_it_writes_dates_in_the_language_of_the_message(value, language, form, expected) -> None:
    assert format_date(speaking(language), value, form) == expected


@pytest.mark.parametrize(
    ("language", "value", "digits", "expected"),
    [
        ("en", 1234.5, None, "1,234.5"),
        ("de", "1234.5", 2, "1.234,50"),
        ("fr", 1234567, 0, "1\u202f234\u202f567"),
        ("en", 0.1 + 0.2, 2, "0.30"),
        ("en", "-5", None, "-5"),
    ],
)
def test_it_writes_numbers_in_the_language_of_the_message(language, value, digits, expected) -> None:
    assert format_number(speaking(language), value, digits) == expected


@pytest.mark.parametrize(
    ("language", "value", "currency", "expected"),
    [("en", 1234.5, "USD", "$1,234.50"), ("de", "1234.5", "EUR", "1.234,50\xa0€"), ("ja", 1234, "JPY", "￥1,234")],
)
def test_it_writes_money_in_the_language_of_the_message(language, value, currency, expected) -> None:
    assert format_currency(speaking(language), value, currency) == expected


@pytest.mark.parametrize("value", [None, "", "  "])
def test_it_takes_missing_values_as_empty(value) -> None:
    context = speaking("en")

    assert format_date(context, value) == format_number(context, value) == format_currency(context, value, "EUR") == ""


@given(
    st.one_of(
        st.text(), st.floats(), st.integers(), st.booleans(), st.lists(st.text()), st.dictionaries(st.text(), st.text())
    )
)
def test_it_formats_any_value_or_says_what_is_wrong(value) -> None:
    for write in (format_date, format_number, lambda context, value: format_currency(context, value, "EUR")):
        try:
            written = write(speaking("de"), value)
        except ValueProblem as problem:
            assert str(problem).endswith(".")  # noqa: PT017 - either way is right
        else:
            assert len(written) < 100


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("jean-luc O'NEIL", "jean-luc O'NEIL"),
        ("jean-luc o'neil", "Jean-Luc O'Neil"),
        ("JEAN-LUC", "Jean-Luc"),
        ("MARIA VON TRAPP", "Maria von Trapp"),
        ("von trapp", "Von Trapp"),
        ("McDonald", "McDonald"),
        ("émile", "Émile"),
        (None, ""),
    ],
)
def test_it_writes_names_as_people_do(written, expected) -> None:
    assert proper(written) == expected


@pytest.mark.parametrize(
    ("value", "empty_too", "expected"),
    [(None, True, "x"), ("", True, "x"), ("", False, ""), (0, True, 0), ("a", True, "a")],
)
def test_it_fills_in_for_missing_values(value, empty_too, expected) -> None:
    assert default(value, "x", empty_too) == expected


@given(st.text())
def test_it_escapes_what_is_between_the_line_breaks(text) -> None:
    assert "<" not in str(nl2br(text)).replace("<br>", "")


def test_it_bounds_what_a_filter_goes_through() -> None:
    assert urlencode("x" * (MAX_LENGTH + 1)) == "x" * MAX_LENGTH
