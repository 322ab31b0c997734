"""How probable it is that a variant is the best, judged by exact sums and by the normal approximation."""

from math import exp, lgamma, sqrt
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliveries.abtest.confidence import Result, best

RESULTS = st.integers(0, 3_000).flatmap(lambda people: st.builds(Result, st.integers(0, people), st.just(people)))


def log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def second_is_better(first: Result, second: Result) -> float:
    """The exact sum for two Beta distributions with whole shapes (Evan Miller, 2013)."""
    a, b = first.good + 1, first.people - first.good + 1
    c, d = second.good + 1, second.people - second.good + 1
    return sum(exp(log_beta(a + i, b + d) - log_beta(1 + i, d) - log_beta(a, b)) / (d + i) for i in range(c))


@given(results=st.lists(RESULTS, min_size=1, max_size=5))
@settings(max_examples=60)
def test_the_probabilities_are_one_together_and_follow_the_order_of_the_variants(results: list[Result]) -> None:
    chances = best(results)

    assert sum(chances) == pytest.approx(1)
    assert all(0 <= chance <= 1 for chance in chances)
    assert best(results[::-1]) == pytest.approx(chances[::-1], abs=1e-9)


@given(first=RESULTS, second=RESULTS)
@settings(max_examples=60)
def test_two_variants_get_what_the_exact_sum_says(first: Result, second: Result) -> None:
    assert best([first, second])[1] == pytest.approx(second_is_better(first, second), abs=0.002)


@given(
    rates=st.tuples(st.floats(0.05, 0.95), st.floats(-0.004, 0.004)),
    people=st.tuples(st.integers(100_000, 1_000_000), st.integers(100_000, 1_000_000)),
)
@settings(max_examples=40)
def test_large_numbers_get_what_the_normal_distribution_says(
    rates: tuple[float, float], people: tuple[int, int]
) -> None:
    first = Result(round(rates[0] * people[0]), people[0])
    second = Result(round((rates[0] + rates[1]) * people[1]), people[1])
    spread = sqrt(sum(each.rate * (1 - each.rate) / each.people for each in (first, second)))

    reference = NormalDist(second.rate - first.rate, spread).cdf(0)

    assert best([first, second])[0] == pytest.approx(reference, abs=0.004)


@given(result=RESULTS, number=st.integers(1, 5))
@settings(max_examples=30)
def test_equal_variants_are_equally_probable(result: Result, number: int) -> None:
    assert best([result] * number) == pytest.approx([1 / number] * number)


def test_a_small_sharp_variant_among_wide_ones_is_not_lost() -> None:
    chances = best([Result(1, 3), Result(2, 3), Result(500_000, 1_000_000)])

    # Beta(2, 3) and Beta(3, 2) are both below one half with 11/16 · 5/16.
    assert chances[2] == pytest.approx(11 / 16 * 5 / 16, abs=0.002)


def test_a_share_above_its_whole_is_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        Result(3, 2)
