from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.waves import MOST_WAVES, Size, WavesProblem, by_calendar, equal, parse_calendar, parse_size, plan

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "size"),
    [("5000", Size(5000, False)), ("10%", Size(1000, True)), ("12.5 %", Size(1250, True)), ("0,01%", Size(1, True))],
)
def test_it_reads_sizes(text: str, size: Size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "0%", "101%", "ten", "5.5", "-1", "1e3"])
def test_it_refuses_what_is_no_size_with_a_sentence(text: str):
    with pytest.raises(WavesProblem, match=r"\.$"):
        parse_size(text)


def test_it_cuts_equal_waves_and_the_last_has_the_rest():
    waves = equal(1_050, Size(500, False), HOUR)

    assert [(wave.messages, wave.after) for wave in waves] == [(500, 0 * HOUR), (500, HOUR), (50, 2 * HOUR)]


def test_it_follows_a_calendar_and_the_last_wave_has_all_that_is_left():
    waves = by_calendar(1_000, parse_calendar("0 100\n2h 10 %\n1d 1%"))

    assert [(wave.messages, wave.after) for wave in waves] == [(100, 0 * HOUR), (100, 2 * HOUR), (800, 24 * HOUR)]


def test_the_last_wave_may_be_written_as_everything():
    """As in the help text and in the marketer's guide."""
    waves = by_calendar(1_000, parse_calendar("0     500\n2h    10%\n1d    100%"))

    assert [wave.messages for wave in waves] == [500, 100, 400]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no line"),
        ("0 10%\n2h", "Line 2"),
        ("2h 10%\n1h 10%", "not in order"),
        ("0 60%\n1h 60%\n1d 100%", "more than 100%"),
        ("0 10%\nsoon 10%", "Line 2 of the calendar: “soon” is not a duration"),
    ],
)
def test_it_says_what_is_wrong_with_a_calendar(text: str, sentence: str):
    with pytest.raises(WavesProblem, match=sentence):
        parse_calendar(text)


def test_it_refuses_thousands_of_waves():
    with pytest.raises(WavesProblem, match=f"{MOST_WAVES:,} are possible"):
        equal(1_000_000, Size(1, False), HOUR)


@given(
    total=st.integers(1, 2_000_000),
    share=st.integers(10, 10_000),
    lines=st.lists(st.integers(1, 400), min_size=1, max_size=20),
)
def test_every_message_is_in_exactly_one_wave_and_no_wave_is_empty(total: int, share: int, lines: list[int]):
    calendar = "\n".join(f"{number}h {size / 100:.2f}%" for number, size in enumerate(lines))

    for waves in (
        equal(total, Size(share, True), HOUR),
        plan(total, "calendar", size="", interval=HOUR, calendar=calendar),
        plan(total, "none", size="", interval=HOUR, calendar=""),
    ):
        assert sum(wave.messages for wave in waves) == total
        assert all(wave.messages > 0 for wave in waves)
        assert all(earlier.after < later.after for earlier, later in pairwise(waves))
