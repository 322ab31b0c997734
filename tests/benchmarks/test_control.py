"""How `make bench-control` reads the moments of a log."""

from benchmarks.control import between, last_before

MOMENTS = [1.0, 2.0, 2.0, 3.0, 7.0]


def test_it_counts_what_left_between_two_moments():
    assert between(MOMENTS, 1.0, 3.0) == 3
    assert between(MOMENTS, 3.0, 6.0) == 0


def test_it_finds_the_last_message_before_the_next_act():
    assert last_before(MOMENTS, 5.0) == 3.0
    assert last_before(MOMENTS, 2.0) == 2.0
