"""Charts as rectangles that a template draws: no script, no library, no time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH = 720
HEIGHT = 180
TOP = 12
"""Room for the number at the highest bar."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle, in the units of the drawing, and what it stands for."""

    x: float
    y: float
    width: float
    height: float
    series: int
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Groups of bars beside each other."""

    bars: Sequence[Bar]
    highest: int
    width: int = WIDTH
    height: int = HEIGHT


def chart(groups: Iterable[tuple[str, Sequence[tuple[str, int]]]]) -> Chart:
    """Bars for groups of (what it is, value); every group has the same number of values."""
    rows = list(groups)
    highest = max((value for _, values in rows for _, value in values), default=0)
    bars = []
    for place, (name, values) in enumerate(rows):
        step = WIDTH / len(rows)
        width = min(step * 0.8, 60) / max(len(values), 1)
        for series, (what, value) in enumerate(values):
            height = round((HEIGHT - TOP) * value / highest, 1) if highest else 0
            x = round(place * step + series * width, 1)
            bars.append(Bar(x, HEIGHT - height, round(max(width, 0.5), 1), height, series, f"{name}: {value:,} {what}"))
    return Chart(bars, highest)
