"""Colours and the contrast between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.rendering.colours import BLACK, WHITE, contrast, is_dark, read, written

COLOURS = st.tuples(*[st.integers(0, 255)] * 3)


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("#fff", (255, 255, 255)),
        ("1d4ed8", (29, 78, 216)),
        ("navy", (0, 0, 128)),
        ("rgb(1, 2, 3)", (1, 2, 3)),
        ("rgb(1 2 3)", (1, 2, 3)),
        ("rgba(1,2,3,1)", (1, 2, 3)),
        ("rgb(300,0,0)", (255, 0, 0)),
        ("hsl(120, 100%, 50%)", (0, 255, 0)),
        ("rgba(1,2,3,.5)", None),
        ("#12345", None),
        ("#11223344", None),
        ("papayawhip?", None),
        ("", None),
        ("#" * 1_000_000, None),
    ],
)
def test_it_reads_colours_as_mails_write_them(text: str, colour: tuple[int, int, int] | None):
    assert read(text) == colour


def test_contrasts_are_those_of_the_standard():
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast(WHITE, WHITE) == 1
    # The examples that the Web Content Accessibility Guidelines' own tools use.
    assert contrast((0x76, 0x76, 0x76), WHITE) == pytest.approx(4.54, abs=0.01)
    assert contrast((255, 0, 0), WHITE) == pytest.approx(4.0, abs=0.01)


@given(COLOURS, COLOURS)
def test_contrast_is_the_same_both_ways_and_within_its_bounds(one: tuple, other: tuple):
    assert contrast(one, other) == contrast(other, one)
    assert 1 <= contrast(one, other) <= 21.01


@given(COLOURS)
def test_what_is_written_is_read_again(colour: tuple):
    assert read(written(colour)) == colour


def test_dark_is_what_white_is_read_better_on():
    assert is_dark((0, 0, 128))
    assert not is_dark((255, 215, 0))
