"""The order in which rows may leave, over a real Redis."""

import time
from datetime import UTC, datetime

import pytest
import redis

from deliveries.models import DomainLimit
from deliveries.rendering.merge import MessageRow
from deliveries.sending.smtp.steps import Leaving
from deliveries.sending.throttle import FREE, LATEST, Throttle
from deliveries.sending.turns import TOGETHER, Entry, Turns

pytestmark = pytest.mark.django_db


def entry(number: int, domain: str = "example.org") -> Entry:
    return 1, MessageRow(number, f"person{number}@{domain}", [], datetime(2026, 1, 1, tzinfo=UTC))


def test_what_no_rate_holds_back_comes_some_at_a_time():
    turns = Turns(map(entry, range(2 * TOGETHER + 3)), Throttle(), 1, 0.0)

    assert [len(group) for group in turns.ready()] == [TOGETHER, TOGETHER, 3]
    assert turns.over


def groups(turns: Turns) -> list[list[int]]:
    """The ids of all groups, one after the other."""
    given = []
    while not turns.over:
        given += [[row.id for _, row in group] for group in turns.ready()]
    return given


def test_what_a_rate_lets_through_comes_alone_when_all_before_it_are_through():
    DomainLimit.objects.create(domain="slow.example", messages_per_second=1_000)
    rows = [entry(1), entry(2, "slow.example"), entry(3), entry(4, "slow.example"), entry(5)]
    turns = Turns(rows, Throttle(), 1, 0.0)

    first = [[row.id for _, row in group] for group in turns.ready()]

    assert (first, groups(turns)) == ([[1]], [[2], [3], [4], [5]])


def test_a_row_has_the_turn_that_was_taken_for_it():
    turns = Turns([entry(1), entry(2), entry(3)], Throttle(), 7, 20.0)
    begun = time.monotonic()

    assert [[row.id for _, row in group] for group in turns.ready()] == [[1]]
    assert [[row.id for _, row in group] for group in turns.ready()] == [[2]]

    turn = turns.of(2, Leaving.MAIL)
    assert (turn.granted, turn.leaving) == (True, Leaving.MAIL)
    assert begun + 0.04 <= turn.at <= time.monotonic() + 0.06
    assert turns.of(1, Leaving.MAIL) is FREE


def test_who_missed_a_turn_has_it_moved_and_nobody_else_loses_one():
    throttle = Throttle()
    turns = Turns([entry(1), entry(2)], throttle, 7, 5.0)
    next(turns.ready())
    first = turns.of(1, Leaving.MAIL)
    time.sleep(LATEST * 2)
    assert first.missed

    asked = time.monotonic()
    again = turns.of(1, Leaving.MAIL)

    assert again.granted
    assert again.at > max(first.at, asked - LATEST)
    assert [throttle.turn(7, 5.0, "example.org").granted for _ in range(4)] == [True, False, False, False]


def test_a_content_has_a_turn_of_its_own():
    turns = Turns([entry(1)], Throttle(), 7, 1.0)
    next(turns.ready())

    assert turns.of(1, Leaving.MAIL).granted
    assert turns.of(1, Leaving.CONTENT).granted
    assert turns.ask_again_in is None


def test_a_mail_whose_turn_is_gone_is_passed_over_when_there_is_none_soon(client: "redis.Redis"):
    throttle = Throttle()
    turns = Turns([entry(1), entry(2)], throttle, 7, 1.0)
    next(turns.ready())
    turns.of(1, Leaving.MAIL)
    client.delete(*client.keys("throttle:*"))

    assert not turns.of(1, Leaving.MAIL).granted
    assert turns.over
    assert turns.ask_again_in is not None


def test_a_domain_that_must_wait_longer_is_passed_over():
    DomainLimit.objects.create(domain="slow.example", messages_per_second=1)
    turns = Turns([entry(1, "slow.example"), entry(2, "slow.example"), entry(3)], Throttle(), 1, 0.0)

    assert groups(turns) == [[1], [3]]
    assert turns.ask_again_in is not None
