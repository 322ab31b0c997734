"""The values of custom attributes: JSON of the right kind, or a sentence."""

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipients.imports.values import PARSERS, CellError, day, moment, number, yes_or_no


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (number, "12", 12),
        (number, "-0.5", -0.5),
        (number, "12,5", 12.5),
        (day, "2026-12-31", "2026-12-31"),
        (day, "31.12.2026", "2026-12-31"),
        (day, "1.2.2026", "2026-02-01"),
        (moment, "2026-12-31 14:30", "2026-12-31T14:30:00+00:00"),
        (moment, "2026-12-31T14:30:00+01:00", "2026-12-31T14:30:00+01:00"),
        (yes_or_no, "Ja", True),
        (yes_or_no, "0", False),
    ],
)
def test_it_reads_what_people_write(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "sentence"),
    [
        (number, "twelve", "is not a number"),
        (number, "1,234", "is not a number"),
        (number, "nan", "is not a number"),
        (number, "1e400", "is not a number"),
        (number, "9" * 5_000, "is not a number"),
        (day, "01/02/2026", "is not a date"),
        (day, "31.2.2026", "is not a date"),
        (moment, "tomorrow", "is not a date and time"),
        (yes_or_no, "maybe", "neither yes nor no"),
    ],
)
def test_it_refuses_what_could_mean_something_else(parse, text, sentence):
    with pytest.raises(CellError, match=sentence):
        parse(text)


@given(st.sampled_from(list(PARSERS.values())), st.text(min_size=1, max_size=40))
def test_it_answers_any_text_with_json_or_a_sentence(parse, text):
    try:
        value = parse(text)
    except CellError as error:
        value = str(error)

    assert json.loads(json.dumps(value, allow_nan=False)) == value


@given(st.dates())
def test_it_keeps_every_iso_date(value: date):
    assert day(value.isoformat()) == value.isoformat()


@given(st.datetimes())
def test_it_takes_a_time_without_offset_for_utc(value: datetime):
    assert datetime.fromisoformat(moment(value.isoformat())) == value.replace(tzinfo=UTC)
