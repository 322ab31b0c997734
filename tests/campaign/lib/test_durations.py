from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.lib.durations import LONGEST, DurationError, parse, spell


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("1h 30m", timedelta(minutes=90)),
        (" 5D ", timedelta(days=5)),
        ("2y", timedelta(days=730)),
        ("1 h30 m", timedelta(minutes=90)),
        ("0", timedelta(0)),
    ],
)
def test_it_reads_what_people_write(text: str, duration: timedelta):
    assert parse(text) == duration


@pytest.mark.parametrize(
    "text", ["", "soon", "5", "-1h", "1.5h", "1w", "h", "1h and more", "\N{ARABIC-INDIC DIGIT ONE}h"]
)
def test_it_says_how_to_write_it(text: str):
    with pytest.raises(DurationError, match="is not a duration"):
        parse(text)


def test_it_refuses_an_eternity():
    with pytest.raises(DurationError, match="100y"):
        parse("999999999y")


@given(st.timedeltas(min_value=timedelta(0), max_value=LONGEST))
def test_what_it_spells_it_reads(duration: timedelta):
    whole = timedelta(seconds=int(duration.total_seconds()))

    assert parse(spell(whole)) == whole


@given(st.text(max_size=30))
def test_any_text_is_a_duration_or_a_sentence(text: str):
    try:
        duration = parse(text)
    except DurationError as error:
        sentence = str(error)
    else:
        sentence = f"{spell(duration)}."

    assert sentence.endswith(".")
