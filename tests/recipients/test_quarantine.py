"""When an address lands in quarantine, and when its errors are forgotten."""

from datetime import UTC, datetime, timedelta

import pytest

from recipients import quarantine
from recipients.models import Quarantine, QuarantinePolicy, QuarantineStatus
from recipients.quarantine import AddressFailure

pytestmark = pytest.mark.django_db

BEGIN = datetime(2026, 6, 1, 10, tzinfo=UTC)


def failure(day: float, address: str = "a@example.org", **values: object) -> AddressFailure:
    known = {"address": address, "is_hard": False, "reason": "Unreachable", "text": "451 later"}
    return AddressFailure(**{**known, "at": BEGIN + timedelta(days=day), **values})  # type: ignore[arg-type]


def fail(*days: float, **values: object) -> Quarantine:
    for day in days:
        quarantine.note([failure(day, **values)])  # type: ignore[arg-type]
    return Quarantine.objects.get(address_key="a@example.org")


def test_a_hard_error_quarantines_at_once_in_whatever_case_the_address_is_written() -> None:
    record = fail(0, address="A@Example.ORG", is_hard=True, reason="User unknown", rule="user unknown")

    assert (record.status, record.errors, record.reason) == (QuarantineStatus.QUARANTINE, 1, "User unknown")
    assert (record.domain, record.rule) == ("example.org", "user unknown")


def test_the_sixth_soft_error_quarantines() -> None:
    assert fail(0, 1, 2, 3, 4).status == QuarantineStatus.WITH_ERRORS

    record = fail(5)

    assert (record.status, record.errors, record.errors_since) == (QuarantineStatus.QUARANTINE, 6, BEGIN)


def test_errors_of_one_day_count_once() -> None:
    assert fail(0, 0.2, 0.9, 0.99).errors == 1
    assert fail(1).errors == 2


def test_noting_the_same_error_again_changes_nothing() -> None:
    assert fail(0, 1, 1, 0, 1).errors == 2


def test_ten_quiet_days_begin_a_new_count() -> None:
    record = fail(0, 1, 2, 3, 4, 14.5)

    assert (record.errors, record.status, record.errors_since) == (1, "with_errors", BEGIN + timedelta(days=14.5))


def test_a_full_mailbox_is_remembered_for_thirty_days() -> None:
    assert fail(0, 9, 25, reason=quarantine.FULL).errors == 3
    assert fail(60, reason=quarantine.FULL).errors == 1


def test_the_numbers_are_the_policys() -> None:
    policy = QuarantinePolicy.objects.ensured()
    policy.tolerated_errors, policy.hours_between_errors = 1, 1
    policy.save()

    assert fail(0, 0.1).status == QuarantineStatus.QUARANTINE


@pytest.mark.parametrize("status", [QuarantineStatus.ALLOWLISTED, QuarantineStatus.DENYLISTED])
def test_what_a_person_decided_stays(status: str) -> None:
    Quarantine.objects.create(address_key="a@example.org", status=status)

    assert (fail(0, is_hard=True).status, fail(1).errors) == (status, 0)


def test_quarantine_is_left_by_no_error_and_keeps_its_reason() -> None:
    fail(0, is_hard=True, reason="User unknown")

    assert (fail(3).status, fail(4).reason) == ("quarantine", "User unknown")


def test_after_a_release_errors_count_from_nothing() -> None:
    fail(0, 1, 2, 3, 4, 5)
    assert quarantine.release(Quarantine.objects.all()) == 1

    record = fail(6)

    assert (record.status, record.errors) == (QuarantineStatus.WITH_ERRORS, 1)


def test_a_complaint_denylists_the_address_even_if_it_was_allowed() -> None:
    Quarantine.objects.create(address_key="a@example.org", status=QuarantineStatus.ALLOWLISTED)

    quarantine.complained("A@example.org", text="abuse", at=BEGIN)

    assert Quarantine.objects.get().status == QuarantineStatus.DENYLISTED


def test_quiet_addresses_leave_the_list_and_full_ones_later() -> None:
    quarantine.note([failure(0, "a@x.example"), failure(0, "full@x.example", reason=quarantine.FULL)])

    assert quarantine.forget_quiet(BEGIN + timedelta(days=9)) == 0
    assert quarantine.forget_quiet(BEGIN + timedelta(days=11)) == 1
    assert quarantine.forget_quiet(BEGIN + timedelta(days=31)) == 1
    assert set(Quarantine.objects.values_list("status", "errors")) == {("valid", 0)}


def outage(days: int, **values: object) -> list[str]:
    """Thirty addresses of a domain fail alike day after day; the statuses at the end."""
    for day in range(days):
        quarantine.note([failure(day, f"p{number}@example.org", **values) for number in range(30)])
    return sorted(set(Quarantine.objects.values_list("status", flat=True)))


def test_an_outage_of_a_provider_quarantines_nobody() -> None:
    assert outage(9, is_of_server=True) == [QuarantineStatus.WITH_ERRORS]


def test_what_lies_with_the_mailboxes_is_no_outage() -> None:
    assert outage(7) == [QuarantineStatus.QUARANTINE]


def test_a_domain_that_stays_away_for_weeks_is_gone() -> None:
    assert QuarantineStatus.QUARANTINE in outage(17, is_of_server=True)


def test_a_batch_is_one_set_of_statements(django_assert_num_queries) -> None:
    for count in (1, 50):
        # Policy, savepoint twice, missing records, locked records, written records.
        with django_assert_num_queries(4):
            quarantine.note([failure(0, f"n{count}x{number}@example.org", is_hard=True) for number in range(count)])


def test_what_is_no_address_is_left_out() -> None:
    quarantine.note([failure(0, "nonsense"), failure(0, "")])

    assert not Quarantine.objects.exists()
