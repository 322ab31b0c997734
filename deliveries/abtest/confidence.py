"""How probable it is that a variant is the best one. Pure: numbers in, numbers out.

Each variant has an unknown rate. Before the test any rate is as probable as any other; after ``good`` of ``people``
reacted, the rate is distributed as Beta(good + 1, people - good + 1). The probability that a variant is the best is the
integral over its density times the other variants' distribution functions, taken here on a grid that is fine where the
densities are. Unlike a test of two proportions this needs no correction for more than two variants, says something for
small numbers too, and says what people want to know.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import exp, log, sqrt
from typing import Final

STEPS: Final = 4_000
"""Points of the grid."""
SPREAD: Final = 9.0
"""Standard deviations on either side that the grid covers; what is beyond is below anything that is shown."""


@dataclass(frozen=True, slots=True)
class Result:
    """Of ``people``, ``good`` did what the test counts."""

    good: int
    people: int

    def __post_init__(self) -> None:
        if not 0 <= self.good <= self.people:
            raise ValueError(f"{self.good} of {self.people} is no share.")

    @property
    def rate(self) -> float:
        """The share, 0 when there is nobody."""
        return self.good / self.people if self.people else 0.0


def best(results: Sequence[Result]) -> list[float]:
    """The probability of each to have the highest rate; together 1."""
    if not results:
        return []
    densities = _densities(results)
    below = [_distribution(density) for density in densities]
    chances = []
    for number, density in enumerate(densities):
        total = 0.0
        for step, value in enumerate(density):
            chance = value
            for other, distribution in enumerate(below):
                if other != number:
                    chance *= distribution[step]
            total += chance
        chances.append(total)
    whole = sum(chances)
    return [chance / whole for chance in chances]


def _densities(results: Sequence[Result]) -> list[list[float]]:
    """The weight of each point of one grid for all, by variant; the weights of a variant are 1 together."""
    shapes = [(result.good + 1.0, result.people - result.good + 1.0) for result in results]
    spreads = [_spread(good, bad) for good, bad in shapes]
    low = max(min(mean - SPREAD * deviation for mean, deviation in spreads), 0.0)
    high = min(max(mean + SPREAD * deviation for mean, deviation in spreads), 1.0)
    points = sorted({*_even(low, high), *_close_to(spreads)})
    middles = [(left + right) / 2 for left, right in pairwise(points)]
    widths = [right - left for left, right in pairwise(points)]
    return [_weights(good, bad, middles, widths) for good, bad in shapes]


def _even(low: float, high: float) -> list[float]:
    return [low + (high - low) * step / STEPS for step in range(STEPS + 1)]


def _close_to(spreads: Sequence[tuple[float, float]]) -> list[float]:
    """More points around each mean: a narrow density between wide ones would fall through an even grid."""
    return [
        point
        for mean, deviation in spreads
        for step in range(-STEPS // 10, STEPS // 10 + 1)
        if 0.0 <= (point := mean + SPREAD * deviation * step / (STEPS // 10)) <= 1.0
    ]


def _spread(good: float, bad: float) -> tuple[float, float]:
    """Mean and standard deviation of Beta(good, bad)."""
    both = good + bad
    return good / both, sqrt(good * bad / (both * both * (both + 1)))


def _weights(good: float, bad: float, middles: Sequence[float], widths: Sequence[float]) -> list[float]:
    logs = [(good - 1) * log(point) + (bad - 1) * log(1 - point) for point in middles]
    highest = max(logs)
    weights = [exp(value - highest) * width for value, width in zip(logs, widths, strict=True)]
    whole = sum(weights)
    return [weight / whole for weight in weights]


def _distribution(weights: Sequence[float]) -> list[float]:
    """The share below the middle of each step."""
    return [until - weight / 2 for until, weight in zip(accumulate(weights), weights, strict=True)]
