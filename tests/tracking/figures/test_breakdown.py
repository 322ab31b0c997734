"""Figures by domain and hour."""

from datetime import UTC, datetime, timedelta

import pytest

from deliveries.models import Delivery
from deliveries.states import MessageState
from tests.deliveries import factories
from tracking.figures.breakdown import OTHER_DOMAINS, DomainRow, HourRow, domains_of, first_hours
from tracking.figures.models import Dimension, EventTally, LogTally

AT = datetime(2026, 11, 27, 9, tzinfo=UTC)


def with_domains(**counts: int) -> Delivery:
    made = factories.delivery()
    LogTally.objects.bulk_create(
        LogTally(
            delivery_id=made.pk, domain=f"{name}.example" if name != "rest" else "", state=MessageState.SENT, count=n
        )
        for name, n in counts.items()
    )
    EventTally.objects.bulk_create(
        EventTally(delivery_id=made.pk, dimension=Dimension.DOMAIN, key=f"{name}.example", opened=n, clicked=1)
        for name, n in {**counts, "rest": 1}.items()
    )
    return made


@pytest.mark.django_db
def test_it_adds_up_the_domains_that_have_no_row_of_their_own() -> None:
    made = with_domains(a=40, b=30, c=20, rest=50)

    found = domains_of(made, {"opened": 91, "clicked": 4}, limit=2)

    assert found == [
        DomainRow("a.example", 40, 0, 40, 1),
        DomainRow("b.example", 30, 0, 30, 1),
        DomainRow(OTHER_DOMAINS, 70, 0, 21, 2),
    ]


@pytest.mark.django_db
def test_it_takes_two_queries_for_domains(django_assert_num_queries) -> None:
    made = with_domains(a=40, b=30)

    with django_assert_num_queries(2):
        assert len(domains_of(made, {}, limit=100)) == 2


def test_it_fills_gaps_between_hours_and_stops_at_the_limit() -> None:
    rows = [HourRow(AT, 1, 0, 0), HourRow(AT + timedelta(hours=2), 0, 1, 0), HourRow(AT + timedelta(days=90), 0, 1, 0)]

    assert [row.opens for row in first_hours(rows, 4)] == [0, 0, 1, 0]
    assert len(first_hours(rows[:2], 4)) == 3
    assert first_hours([], 4) == []
