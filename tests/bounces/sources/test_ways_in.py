"""What every way in promises, whatever it speaks."""

from typing import Any

import pytest
from django.db import OperationalError

from bounces import process, whose
from bounces.models import BounceMail, MailState
from bounces.parsing import Report
from recipients.models import Quarantine, QuarantineStatus
from tests.bounces import sent
from tests.bounces.sources.ways import Way
from tests.deliveries.factories import builtin_blocks


@pytest.fixture(autouse=True)
def blocks(way: Way) -> None:
    """Tests with real transactions begin without what migrations wrote."""
    builtin_blocks()


def quarantined() -> list[str]:
    held = Quarantine.objects.filter(status=QuarantineStatus.QUARANTINE)
    return sorted(held.values_list("address_key", flat=True))


def test_a_bounce_of_ours_puts_exactly_its_address_in_quarantine(way: Way) -> None:
    messages = sent.messages(sent.delivered(3))

    way.bring(messages[1])
    way.take()

    assert quarantined() == ["person2@example.org"]
    assert way.waiting() == 0


def test_the_same_again_counts_once(way: Way) -> None:
    (message,) = sent.messages(sent.delivered())

    for _ in range(2):
        way.bring(message, sent.FULL)
        way.take()

    assert Quarantine.objects.get().errors == 1
    assert way.waiting() == 0


def test_what_is_not_ours_stays_where_it_is_and_changes_nothing(way: Way) -> None:
    sent.delivered()

    way.bring(None)
    way.take()
    way.take()

    assert not Quarantine.objects.exists()
    assert way.waiting() == (1 if way.foreign_stays else 0)


def test_what_cannot_be_processed_is_set_aside_and_does_not_stop_the_next(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisonous, harmless = sent.messages(sent.delivered(2))
    find = whose.find

    def explosive(report: Report, *rest: Any) -> Any:
        if any(each.address == poisonous.address for each in report.recipients):
            raise ZeroDivisionError("poison")
        return find(report, *rest)

    monkeypatch.setattr(whose, "find", explosive)
    way.bring(poisonous)
    way.bring(harmless)
    way.take()

    assert quarantined() == [harmless.address]
    assert BounceMail.objects.filter(state=MailState.SET_ASIDE).count() == 1


def test_nothing_is_lost_while_the_database_is_away(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    (message,) = sent.messages(sent.delivered())
    together = process._together

    def away(*_: Any) -> Any:
        raise OperationalError("the database is away")

    way.bring(message)
    monkeypatch.setattr(process, "_together", away)
    try:
        way.take()
    except OperationalError:
        pass  # a task ends so, and comes again
    assert (quarantined(), way.waiting()) == ([], 1)

    monkeypatch.setattr(process, "_together", together)
    way.take()

    assert (quarantined(), way.waiting()) == ([message.address], 0)
