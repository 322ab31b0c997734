"""Which deliveries a lane passes over, and how long."""

import pytest

from deliveries.sending.passed_over import BUSY_SECONDS, FRUITLESS, LONGEST, LONGEST_NAP, WORTH_WAITING, PassedOver
from tests.deliveries.sending.clock import Clock


def test_it_passes_over_a_delivery_without_a_connection_for_a_moment(clock: Clock) -> None:
    lane = PassedOver(clock)

    lane.route_is_busy(1)
    assert (lane.deliveries(), lane.found_no_room) == ([1], True)

    clock.seconds += BUSY_SECONDS
    assert (lane.deliveries(), lane.found_no_room) == ([], False)
    assert lane.nap() is None


def test_it_passes_over_a_delivery_of_which_nothing_may_leave(clock: Clock) -> None:
    lane = PassedOver(clock)

    lane.must_wait(1, 60.0, wholly=True)
    lane.must_wait(2, 0.5, wholly=False)

    assert lane.deliveries() == [1]
    clock.seconds += LONGEST
    assert lane.deliveries() == []


def test_where_only_domains_wait_it_looks_into_parts_that_nobody_had_until_one_is_fruitless(clock: Clock) -> None:
    lane = PassedOver(clock)

    lane.must_wait(1, 60.0, wholly=True, by_route=False)
    assert (lane.deliveries(), lane.looked_at()) == ([], [1])

    lane.must_wait(1, 60.0, wholly=True, by_route=False)
    assert lane.deliveries() == [1]

    clock.seconds += LONGEST
    lane.must_wait(1, 60.0, wholly=True, by_route=False)
    assert (lane.deliveries(), lane.looked_at()) == ([1], [])

    clock.seconds += FRUITLESS
    lane.must_wait(1, 60.0, wholly=True, by_route=False)
    assert (lane.deliveries(), lane.looked_at()) == ([], [1])


def test_it_waits_for_the_first_that_may_leave_soon_and_tells_it_once(clock: Clock) -> None:
    lane = PassedOver(clock)

    lane.must_wait(1, 1.0, wholly=True)
    lane.must_wait(2, 0.5, wholly=True)
    clock.seconds += 0.2

    assert lane.nap() == pytest.approx(0.3)
    clock.seconds += 0.4
    assert lane.nap() == pytest.approx(0.4)
    assert lane.nap() is None


def test_it_looks_for_other_work_while_it_waits(clock: Clock) -> None:
    lane = PassedOver(clock)

    lane.must_wait(1, 0.75, wholly=True)

    assert lane.nap() == LONGEST_NAP
    clock.seconds += LONGEST_NAP
    assert lane.nap() == pytest.approx(0.25)


def test_it_does_not_wait_for_what_is_far_away(clock: Clock) -> None:
    lane = PassedOver(clock)

    lane.must_wait(1, WORTH_WAITING + 1, wholly=True)

    assert lane.nap() is None
