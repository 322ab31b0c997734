"""A contact date that counts where each recipient lives."""

from datetime import UTC, datetime, timedelta

import pytest

from campaign.lib.clock import now, running_on
from deliveries.actions.cancel_start import cancel_start
from deliveries.models import Message, SeedAddress, SeedGroup
from deliveries.states import DeliveryState
from recipients.models import Recipient, RecipientList
from tests.deliveries import factories

pytestmark = pytest.mark.django_db

MORNING = datetime(2027, 6, 1, 7, 0, tzinfo=UTC)  # 09:00 in Berlin


@pytest.fixture(autouse=True)
def the_day_before():
    with running_on(lambda: MORNING - timedelta(days=1)):
        yield


def world(*zones: str) -> RecipientList:
    """One recipient in each of these zones, in this order."""
    chosen = factories.people(len(zones))
    for recipient, zone in zip(Recipient.objects.order_by("pk"), zones, strict=True):
        recipient.time_zone = zone
        recipient.save()
    return chosen


def local(target: RecipientList, **values: object):
    return factories.delivery(
        target, contact_at=MORNING, contact_zone="Europe/Berlin", contact_by_recipient=True, **values
    )


def test_it_writes_to_those_first_whose_morning_comes_first() -> None:
    made = factories.analysed(local(world("America/New_York", "Europe/Berlin", "Asia/Tokyo", "Europe/Paris")))

    addresses = list(Message.objects.of_delivery(made.pk).order_by("pk").values_list("address", flat=True))
    assert addresses == [f"person{number}@example.org" for number in (3, 2, 4, 1)]
    assert made.contact_times == [MORNING - timedelta(hours=7), MORNING, MORNING + timedelta(hours=6)]
    assert list(made.parts.order_by("pk").values_list("wave", "size")) == [(1, 1), (2, 2), (3, 1)]


def test_it_writes_to_people_without_a_zone_in_the_delivery_s_own() -> None:
    made = factories.analysed(local(world("", "Mars/Olympus_Mons", "Asia/Tokyo")))

    assert made.contact_times == [MORNING - timedelta(hours=7), MORNING]
    assert list(made.parts.order_by("pk").values_list("wave", "size")) == [(1, 1), (2, 2)]


def test_each_zone_leaves_at_its_own_moment() -> None:
    made = factories.confirmed(local(world("Asia/Tokyo", "Europe/Berlin")))

    assert made.current_state is DeliveryState.START_PENDING
    assert made.starts_at == MORNING - timedelta(hours=7)
    assert made.valid_until == made.starts_at + made.validity
    assert list(made.parts.order_by("pk").values_list("not_before", flat=True)) == made.contact_times


def test_a_morning_that_has_passed_leaves_at_once() -> None:
    made = factories.analysed(local(world("Asia/Tokyo", "Europe/Berlin")))

    with running_on(lambda: MORNING - timedelta(hours=2)):
        factories.accepted(made)

    assert made.current_state is DeliveryState.IN_PROGRESS
    assert list(made.parts.order_by("pk").values_list("not_before", flat=True)) == [None, MORNING]


def test_a_cancelled_start_can_be_confirmed_again() -> None:
    made = factories.confirmed(local(world("Asia/Tokyo", "Europe/Berlin")))
    cancel_start(made)

    factories.accepted(made)

    assert list(made.parts.order_by("pk").values_list("not_before", flat=True)) == made.contact_times


def test_a_seed_address_leaves_with_the_people_it_stands_among() -> None:
    made = local(world("Asia/Tokyo", "Europe/Berlin"))
    group = SeedGroup.objects.create(name="Office")
    SeedAddress.objects.create(address="seed@example.com").groups.add(group)
    made.seed_groups.add(group)

    made = factories.analysed(made)

    assert sum(made.parts.values_list("size", flat=True)) == 3
    assert Message.objects.of_delivery(made.pk).count() == 3
    assert made.parts.count() == 2


def test_a_delivery_that_ends_before_the_last_morning_is_refused() -> None:
    made = factories.analysed(local(world("Asia/Tokyo", "America/New_York"), validity=timedelta(hours=12)))

    assert made.current_state is DeliveryState.ANALYSIS_FAILED
    assert made.state_note.startswith("The last time zone has its contact date on 1 Jun 2027")


def test_another_contact_date_makes_the_analysis_stale() -> None:
    from deliveries.analysis.fingerprint import is_stale

    made = factories.analysed(local(world("Asia/Tokyo")))
    made.contact_at = now() + timedelta(days=3)

    assert is_stale(made)


def test_the_journal_says_when_how_many_leave() -> None:
    made = factories.analysed(local(world("Asia/Tokyo", "Europe/Berlin", "Europe/Paris")))

    lines = [line.sentence for line in made.journal.filter(sentence__startswith="Time zones")]
    assert lines == [
        "Time zones: 1 messages on 1 Jun 2027, 02:00 CEST.",
        "Time zones: 2 messages on 1 Jun 2027, 09:00 CEST.",
    ]
