"""The order in which rows may leave, over a real Redis."""

import time
from datetime import UTC, datetime

import pytest

from deliveries.models import DomainLimit
from deliveries.rendering.merge import MessageRow
from deliveries.sending.throttle import Throttle
from deliveries.sending.turns import TOGETHER, Entry, Turns

pytestmark = pytest.mark.django_db


def entry(number: int, domain: str = "example.org") -> Entry:
    return 1, MessageRow(number, f"person{number}@{domain}", [], datetime(2026, 1, 1, tzinfo=UTC))


def test_what_no_rate_holds_back_comes_some_at_a_time():
    turns = Turns(map(entry, range(2 * TOGETHER + 3)), Throttle(), 1, 0.0)

    assert [len(group) for group in turns.ready()] == [TOGETHER, TOGETHER, 3]
    assert turns.wait == 0


def test_what_a_rate_lets_through_comes_alone_at_its_turn():
    DomainLimit.objects.create(domain="slow.example", messages_per_second=1_000)
    rows = [entry(1), entry(2, "slow.example"), entry(3), entry(4, "slow.example"), entry(5)]

    groups = [[row.id for _, row in group] for group in Turns(rows, Throttle(), 1, 0.0).ready()]

    assert groups == [[2], [4], [1, 3, 5]]


def test_a_row_that_must_wait_keeps_nobody_from_leaving_and_has_its_turn_when_it_was_told():
    turns = Turns([entry(1), entry(2), entry(3)], Throttle(), 7, 20.0)

    before = [[row.id for _, row in group] for group in turns.ready()]
    waiting = turns.wait
    time.sleep(waiting)
    after = [row.id for _, row in next(turns.ready())]

    assert (before, after) == ([[1]], [2])
    assert 0 < waiting <= 0.05


def test_a_domain_that_must_wait_longer_is_passed_over():
    DomainLimit.objects.create(domain="slow.example", messages_per_second=1)
    turns = Turns([entry(1, "slow.example"), entry(2, "slow.example"), entry(3)], Throttle(), 1, 0.0)

    assert [[row.id for _, row in group] for group in turns.ready()] == [[1], [3]]
    assert turns.ask_again_in is not None
