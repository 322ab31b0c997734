"""The formulas of the indicators, and where their sums come from."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.lib.clock import now
from deliveries.models import Delivery, message_range
from deliveries.sending.verdict import Reason
from deliveries.states import MessageState
from recipients.models import Consent, ConsentEvent, ConsentSubject, Quarantine, QuarantineStatus, Recipient
from tests.deliveries import factories
from tracking.figures.indicators import Indicator, Sums, estimated, indicators, sums_of
from tracking.figures.models import Dimension, EventTally, LogCount, LogTally


def named(sums: Sums) -> dict[str, Indicator]:
    return {indicator.name: indicator for indicator in indicators(sums)}


def test_it_gives_the_figures_of_the_reference_products_worked_example() -> None:
    """Four recipients, three open, two of them click."""
    found = named(Sums(to_deliver=4, sent=4, opens=3, opened=3, clicked=2, clicks=6))

    assert found["clicked"].value == 2
    assert found["total_clicks"].value == 6
    assert found["distinct_opens"].value == 3
    assert found["distinct_opens"].share == 0.75
    assert found["raw_reactivity"].share == pytest.approx(0.6667, abs=0.0001)


def test_it_estimates_the_opens_that_messages_of_text_alone_cannot_report() -> None:
    found = named(Sums(to_deliver=1000, sent=900, text_only=200, opened=300, opens=401, clicked=75))

    assert found["estimated_distinct_opens"].value == 375
    assert found["estimated_total_opens"].value == 501  # 501.25
    assert found["raw_reactivity"].share == 0.25
    assert found["estimated_reactivity"].share == 0.2


def test_it_estimates_nothing_when_no_message_can_report() -> None:
    assert estimated(3, 10, 10) == 0
    assert named(Sums(to_deliver=10, text_only=10, opened=3, clicked=1))["estimated_reactivity"].share is None


def test_it_divides_by_what_it_says() -> None:
    found = named(
        Sums(to_deliver=200, sent=80, hard=5, soft=3, ignored=1, unqualified=1, in_doubt=10, opt_outs=4, complaints=2)
    )

    assert (found["processed"].value, found["processed"].of) == (100, 200)
    assert found["success"].share == 0.8
    assert (found["errors"].value, found["errors"].of) == (10, 100)
    assert found["hard"].share == 0.05
    assert (found["opt_outs"].of, found["opt_outs"].share) == (80, 0.05)
    assert found["complaints"].share == 0.025


@given(
    st.builds(Sums, **{name: st.integers(0, 2_000_000) for name in ("to_deliver", "text_only", "opened", "clicked")})
)
def test_it_never_fails_and_says_in_words_what_each_share_divides_by(sums: Sums) -> None:
    for indicator in indicators(sums):
        assert (indicator.of is None) == (indicator.of_label == "")
        assert indicator.of is None or "divided by" in indicator.help.lower()
        assert indicator.share is None or indicator.share >= 0


@pytest.mark.django_db
def test_it_adds_up_what_is_kept_of_each_delivery_in_five_queries(django_assert_num_queries) -> None:
    first, other = factories.delivery(), factories.delivery()
    for made in (first, other):
        Delivery.objects.filter(pk=made.pk).update(to_deliver=10)
        made.refresh_from_db()
    rows = [
        ("a.example", MessageState.SENT, "", 0, 4),
        ("b.example", MessageState.SENT, "", 0, 1),
        ("b.example", MessageState.FAILED, "hard", Reason.USER_UNKNOWN, 2),
        ("b.example", MessageState.FAILED, "ignored", Reason.DENYLISTED_ADDRESS, 1),
        ("b.example", MessageState.FAILED, "", 0, 1),
        ("b.example", MessageState.IN_DOUBT, "", 0, 1),
    ]
    LogTally.objects.bulk_create(
        LogTally(delivery_id=first.pk, domain=domain, state=state, failure_type=kind, reason=reason, count=count)
        for domain, state, kind, reason, count in rows
    )
    LogTally.objects.create(delivery_id=first.pk, hour=now(), state=MessageState.SENT, count=5)  # not counted twice
    LogCount.objects.create(pk=first.pk, counted_at=now(), due_at=now() + timedelta(hours=1), text_only=3)
    EventTally.objects.create(
        delivery_id=first.pk,
        dimension=Dimension.TOTAL,
        opens=5,
        opened=3,
        clicks=2,
        clicked=1,
        all_opens=9,
        all_opened=4,
    )
    Quarantine.objects.create(address_key="x@b.example", delivery_id=first.pk)
    Quarantine.objects.create(address_key="y@b.example", delivery_id=first.pk, status=QuarantineStatus.VALID)
    person = Recipient.objects.create(address="p@a.example", address_key="p@a.example")
    for state in (Consent.WITHDRAWN, Consent.GIVEN, Consent.WITHDRAWN):
        ConsentEvent.objects.create(
            recipient=person, at=now(), subject=ConsentSubject.ALL, state=state, source="page",
            message_id=message_range(first.pk)[0] + 1,
        )  # fmt: skip

    with django_assert_num_queries(5):
        sums = sums_of([first, other])

    assert sums[first.pk] == Sums(
        to_deliver=10, sent=5, hard=2, ignored=1, unqualified=1, in_doubt=1, complaints=1, text_only=3, opens=5,
        opened=3, clicks=2, clicked=1, opt_outs=1, quarantines=1,
    )  # fmt: skip
    assert sums[other.pk] == Sums(to_deliver=10)
    with_machines = sums_of([first], machines=True)[first.pk]
    assert (with_machines.opens, with_machines.opened, with_machines.clicks) == (9, 4, 0)
