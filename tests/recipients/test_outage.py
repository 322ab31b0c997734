"""A provider's outage is undone in one action; a person's page shows failures; statuses decide who is left out."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from recipients import quarantine
from recipients.models import Quarantine, QuarantineStatus
from recipients.quarantine import AddressFailure
from tests.people import at_colleague, at_marketer, colleague, marketer

__all__ = ["at_colleague", "at_marketer", "colleague", "marketer"]

pytestmark = pytest.mark.django_db

PAGE = "/admin/recipients/quarantine/outage/"
AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
PERIOD = {"since": "2026-11-20 08:00", "until": "2026-11-20 12:00"}


@pytest.fixture(autouse=True)
def _held() -> None:
    quarantine.note(
        AddressFailure(address, is_hard=True, reason="User unknown", text="550 no", at=at, rule=rule)
        for address, at, rule in (
            ("a@broken.example", AT, "user unknown"),
            ("b@broken.example", AT, "user unknown"),
            ("c@broken.example", AT, "account disabled"),
            ("d@broken.example", AT - timedelta(days=3), "user unknown"),
            ("e@other.example", AT, "user unknown"),
        )
    )


def valid() -> set[str]:
    return set(Quarantine.objects.filter(status=QuarantineStatus.VALID).values_list("address_key", flat=True))


def test_it_counts_first_and_releases_nothing(at_marketer: Client) -> None:
    page = at_marketer.get(PAGE, {"domain": "broken.example", "rule": "user unknown", **PERIOD}).content.decode()

    assert "Release 2 addresses" in page
    assert valid() == set()


def test_it_releases_what_it_counted(at_marketer: Client) -> None:
    at_marketer.post(PAGE, {"domain": "Broken.example", "rule": "user unknown", **PERIOD})

    assert valid() == {"a@broken.example", "b@broken.example"}


@pytest.mark.parametrize("wish", [{}, {"domain": "broken.example", "since": "yesterday"}])
def test_it_releases_nobody_without_a_domain_or_rule_and_a_period(at_marketer: Client, wish: dict[str, str]) -> None:
    assert at_marketer.post(PAGE, {**PERIOD, **wish}).status_code == 200
    assert valid() == set()


def test_it_shows_where_many_addresses_were_lost(at_marketer: Client, monkeypatch) -> None:
    monkeypatch.setattr("recipients.admin.outage.now", lambda: AT + timedelta(days=5))

    page = at_marketer.get(PAGE).content.decode()

    assert "broken.example" in page


def test_it_offers_the_last_day_in_whole_minutes(at_marketer: Client, monkeypatch) -> None:
    at = datetime(2026, 11, 27, 20, 48, 52, 764400, tzinfo=UTC)
    monkeypatch.setattr("recipients.admin.outage.now", lambda: at)

    page = at_marketer.get(PAGE).content.decode()

    assert 'value="2026-11-26 20:49:00"' in page
    assert 'value="2026-11-27 20:49:00"' in page


def test_who_only_looks_releases_nobody(at_colleague: Client) -> None:
    assert at_colleague.post(PAGE, {"domain": "broken.example", **PERIOD}).status_code == 403


def test_chosen_addresses_are_released_or_always_allowed(at_marketer: Client) -> None:
    first, second = Quarantine.objects.order_by("address_key")[:2]
    page = "/admin/recipients/quarantine/"

    at_marketer.post(page, {"action": "release", "_selected_action": [first.pk]})
    at_marketer.post(page, {"action": "allow_always", "_selected_action": [second.pk]})

    assert valid() == {first.address_key}
    assert Quarantine.objects.get(pk=second.pk).status == QuarantineStatus.ALLOWLISTED


def test_the_list_filters_and_costs_the_same_whatever_it_holds(
    at_marketer: Client, django_assert_max_num_queries
) -> None:
    with django_assert_max_num_queries(10):
        page = at_marketer.get("/admin/recipients/quarantine/", {"status__exact": "quarantine"}).content.decode()

    assert "a@broken.example" in page
    assert "550 no" in page
