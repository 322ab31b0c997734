"""The figures of an A/B test, variant by variant. What people did after they got it is told by whoever tracks it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from campaign.lib.sql import statements
from deliveries.abtest.confidence import Result, best
from deliveries.models import AbTest, Measure, Variant, message_range
from deliveries.states import MessageState
from recipients.models import Consent

SQL = statements(Path(__file__).parent / "sql")


@dataclass(frozen=True, slots=True)
class Reactions:
    """People, once each and without machines: who opened it (a click or a look at the mirror page says so too), and who
    clicked."""

    opened: int = 0
    clicked: int = 0


Read = Callable[[int, Sequence[int]], Mapping[int, Reactions]]
"""From a delivery and contents of it to the reactions to each content; who nobody reacted to may be left out."""


def _nobody(_: int, __: Sequence[int]) -> Mapping[int, Reactions]:
    return {}


_read: Read = _nobody


def register(function: Read) -> None:
    """Let ``function`` tell the reactions from now on."""
    global _read
    _read = function


@dataclass(frozen=True, slots=True)
class Figures:
    """One variant so far; all but ``waiting`` and ``confidence`` are numbers of messages of the test."""

    variant: Variant
    messages: int
    waiting: int
    """Without an outcome yet."""
    success: int
    opened: int
    clicked: int
    opt_outs: int
    result: Result
    """Of the test's measure."""
    confidence: float
    """From 0 to 1: how probable it is that this variant is the best."""


def figures_of(test: AbTest) -> list[Figures]:
    """The variants' figures by letter; four queries. Empty before the test is analysed."""
    variants = [variant for variant in test.variants.order_by("letter") if variant.content_id is not None]
    if not variants or test.last_test_id is None:
        return []
    first, _ = message_range(test.delivery_id)
    given = {"first": first, "last": test.last_test_id, "withdrawn": Consent.WITHDRAWN.value}
    outcomes: dict[int, dict[int, int]] = {}
    for content_id, state, number in _rows("outcomes", given):
        outcomes.setdefault(content_id, {})[state] = number
    opt_outs: dict[int, int] = dict(_rows("opt_outs", given))
    reactions = _read(test.delivery_id, [variant.content_id for variant in variants if variant.content_id])
    plain = [
        _plain(
            variant,
            outcomes.get(variant.content_id or 0, {}),
            reactions.get(variant.content_id or 0, Reactions()),
            opt_outs.get(variant.content_id or 0, 0),
        )
        for variant in variants
    ]
    results = [_result(Measure(test.measure), *each[3:]) for each in plain]
    return [
        Figures(*each, result=result, confidence=confidence)
        for each, result, confidence in zip(plain, results, best(results), strict=True)
    ]


def leader(figures: Sequence[Figures]) -> Figures:
    """The most probable winner; of equals the first."""
    return max(figures, key=lambda each: each.confidence)


def _plain(
    variant: Variant, states: Mapping[int, int], reactions: Reactions, opt_outs: int
) -> tuple[Variant, int, int, int, int, int, int]:
    return (
        variant,
        sum(states.values()),
        states.get(MessageState.PENDING, 0),
        states.get(MessageState.SENT, 0),
        reactions.opened,
        reactions.clicked,
        opt_outs,
    )


def _result(measure: Measure, success: int, opened: int, clicked: int, opt_outs: int) -> Result:
    """A message may be opened and bounce all the same, or its outcome be in doubt: nothing is above its whole."""
    good, people = {
        Measure.OPENS: (opened, success),
        Measure.CLICKS: (clicked, success),
        Measure.REACTIVITY: (clicked, opened),
        Measure.OPT_OUTS: (success - opt_outs, success),
    }[measure]
    return Result(max(min(good, people), 0), people)


def _rows(name: str, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(SQL[name], given)
        return list(cursor.fetchall())
