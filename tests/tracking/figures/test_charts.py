"""Charts stay inside their drawing, whatever the values."""

from hypothesis import given
from hypothesis import strategies as st

from tracking.figures.charts import HEIGHT, WIDTH, chart

VALUES = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), max_size=80)


@given(VALUES)
def test_every_bar_is_inside(values: list[tuple[int, int]]) -> None:
    drawn = chart((str(place), [("opens", opens), ("clicks", clicks)]) for place, (opens, clicks) in enumerate(values))

    assert len(drawn.bars) == 2 * len(values)
    for bar in drawn.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH + 0.2
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT + 0.2


def test_the_highest_bar_is_the_largest_value() -> None:
    drawn = chart([("a", [("opens", 5)]), ("b", [("opens", 10)])])

    low, high = drawn.bars
    assert drawn.highest == 10
    assert high.height == 2 * low.height
    assert high.title == "b: 10 opens"
