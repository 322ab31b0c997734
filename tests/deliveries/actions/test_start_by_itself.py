"""Approval modes: what starts without a person's confirmation, and what does not."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db.models import Q

from campaign.lib.clock import now
from deliveries.actions.analyse import analyse
from deliveries.actions.confirm import warnings_of
from deliveries.models import AuditLine, Delivery
from deliveries.states import DeliveryState
from deliveries.tasks import analyse_delivery
from tests.deliveries.factories import delivery, people, unchecked
from tests.people import marketer, person

__all__ = ["marketer"]

pytestmark = pytest.mark.django_db


def analysed_by(who: User, made: Delivery) -> Delivery:
    """The delivery after the analysis that ``who`` asked for, as a worker does it."""
    analyse(made, by=who)
    analyse_delivery(made.pk)
    made.refresh_from_db()
    return made


def audit(made: Delivery) -> list[str]:
    return list(AuditLine.objects.filter(delivery=made).order_by("pk").values_list("sentence", flat=True))


def journal(made: Delivery) -> str:
    return "\n".join(made.journal.values_list("sentence", flat=True))


@pytest.mark.parametrize("warns", [True, False])
@pytest.mark.parametrize(
    ("mode", "starts_despite_warnings", "starts_without"),
    [("manual", False, False), ("semi", False, True), ("automatic", True, True)],
)
def test_it_starts_by_itself_as_its_mode_says(
    marketer: User, mode: str, starts_despite_warnings: bool, starts_without: bool, warns: bool
) -> None:
    made = delivery(people(2), approval_mode=mode)
    if not warns:
        unchecked(made)

    analysed_by(marketer, made)

    assert bool(warnings_of(made)) is warns
    started = starts_despite_warnings if warns else starts_without
    assert made.current_state is (DeliveryState.IN_PROGRESS if started else DeliveryState.READY)


def test_a_warning_keeps_a_semi_automatic_one_from_starting_and_the_journal_says_so(marketer: User) -> None:
    made = analysed_by(marketer, delivery(people(2), approval_mode="semi"))

    assert f"Not started by itself: the analysis raised {len(warnings_of(made))} warning" in journal(made)


def test_nobody_is_said_to_have_acknowledged_what_automatic_approval_passed_over(marketer: User) -> None:
    made = analysed_by(marketer, delivery(people(2), approval_mode="automatic"))

    sentences = audit(made)
    passed_over = [one for one in sentences if one.startswith("Nobody was asked about the warning")]
    assert len(passed_over) == len(warnings_of(made)) > 0
    assert not [one for one in sentences if one.startswith("Acknowledged")]


@pytest.mark.parametrize("mode", ["semi", "automatic"])
def test_it_does_not_start_for_somebody_who_may_not_start_it(mode: str) -> None:
    preparer = person("preparer", Q(codename__in=["view_delivery", "change_delivery"]))

    made = analysed_by(preparer, unchecked(delivery(people(2), approval_mode=mode)))

    assert made.current_state is DeliveryState.READY
    assert "preparer may analyse it but not start it" in journal(made)


def test_it_does_not_start_for_somebody_else_than_the_reviewers(marketer: User) -> None:
    made = unchecked(delivery(people(2), approval_mode="automatic"))
    made.reviewers.add(person("reviewer", Q()))

    assert analysed_by(marketer, made).current_state is DeliveryState.READY


@pytest.mark.parametrize("mode", ["semi", "automatic"])
def test_an_error_always_keeps_it_from_starting(marketer: User, mode: str) -> None:
    made = analysed_by(marketer, delivery(people(2), approval_mode=mode, html="{{ recipient.nonsense }}"))

    assert made.current_state is DeliveryState.ANALYSIS_FAILED


def test_it_waits_for_its_contact_date_like_any_other(marketer: User) -> None:
    made = delivery(people(2), approval_mode="automatic", contact_at=now() + timedelta(days=1))

    assert analysed_by(marketer, made).current_state is DeliveryState.START_PENDING
