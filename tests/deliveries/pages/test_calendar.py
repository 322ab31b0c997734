"""The calendar, and what is overdue."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.test import Client
from django.urls import reverse

from campaign.lib.clock import now
from deliveries.actions.send_proof import Proof, send_proof
from deliveries.models import Delivery, WavesMode
from deliveries.pages import calendar
from deliveries.pages.overdue import is_overdue, overdue
from deliveries.states import DeliveryState
from tests.deliveries.factories import analysed, confirmed, delivery, people

JUNE = datetime(2031, 6, 15, 12, tzinfo=UTC)


def month(client: Client, text: str) -> str:
    response = client.get(reverse("admin:deliveries_delivery_calendar"), {"month": text})
    assert response.status_code == 200
    return response.content.decode()


def day(page: str, date: str) -> str:
    """What stands on one day."""
    return page.partition(f'<time datetime="{date}">')[2].partition("</td>")[0]


def test_a_delivery_stands_on_the_day_on_which_it_leaves(at_colleague: Client) -> None:
    made = delivery(people(1), label="Summer", contact_at=JUNE)
    send_proof(made, Proof(addresses=["tester@example.com"]))

    page = month(at_colleague, "2031-06")

    assert "12:00</time> Summer" in day(page, "2031-06-15")
    assert "Being edited" in day(page, "2031-06-15")
    assert "Proof" not in page
    assert "Nothing leaves in this month" in month(at_colleague, "2031-08")


def test_the_start_that_is_scheduled_or_was_made_counts_more_than_the_contact_date(at_colleague: Client) -> None:
    made = delivery(label="Summer", contact_at=JUNE)
    Delivery.objects.filter(pk=made.pk).update(starts_at=JUNE + timedelta(days=1), started_at=JUNE + timedelta(days=2))

    page = month(at_colleague, "2031-06")

    assert "Summer" in day(page, "2031-06-17")
    assert "Summer" not in day(page, "2031-06-15")


def test_it_shows_the_present_month_for_what_is_none(at_colleague: Client) -> None:
    for text in ("", "nonsense", "2031-13", "99999-01", "1-1", "9999-12", "0001-01", "<script>"):
        assert "<script>" not in month(at_colleague, text).partition("<main")[2].replace("<script src", "")


def test_it_says_when_a_month_has_more_than_fits(at_colleague: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(calendar, "MOST_A_MONTH", 3)
    for number in range(4):
        delivery(label=f"Number {number}", contact_at=JUNE)

    assert "only the first 3 are shown" in month(at_colleague, "2031-06")


def test_it_costs_the_same_for_many_deliveries(at_colleague: Client, django_assert_max_num_queries: Any) -> None:
    Delivery.objects.bulk_create(Delivery(label=f"Number {n}", contact_at=JUNE, html="x" * 9999) for n in range(300))
    Delivery.objects.bulk_create(
        Delivery(label="Waves", contact_at=JUNE, to_deliver=9, waves_mode=WavesMode.EQUAL, wave_size="3")
        for _ in range(30)
    )

    with django_assert_max_num_queries(8) as captured:
        page = month(at_colleague, "2031-06")

    assert page.count("Number ") == 300
    assert page.count("Wave 3 of 3: 3") == 30
    assert not [query for query in captured if '"html"' in query["sql"]]


def test_each_wave_stands_at_its_time(at_colleague: Client) -> None:
    made = delivery(
        people(10), label="Summer", contact_at=JUNE, waves_mode=WavesMode.CALENDAR, wave_calendar="0 2\n3h 30%\n20d 1"
    )
    Delivery.objects.filter(pk=made.pk).update(validity=timedelta(days=30))
    assert "Wave" not in month(at_colleague, "2031-06")

    analysed(made)
    june, july, august = (month(at_colleague, f"2031-{number}") for number in ("06", "07", "08"))

    assert "12:00</time> Summer" in day(june, "2031-06-15")
    assert "Wave 1 of 3: 2 messages<" in day(june, "2031-06-15")
    assert "15:00</time> Summer" in day(june, "2031-06-15")
    assert "Wave 2 of 3: 3 messages<" in day(june, "2031-06-15")
    assert "12:00</time> Summer" in day(july, "2031-07-05")
    assert "Wave 3 of 3: 5 messages<" in day(july, "2031-07-05")
    assert "Summer" not in august

    Delivery.objects.filter(pk=made.pk).update(state=DeliveryState.IN_PROGRESS)
    Delivery.objects.filter(pk=made.pk).update(
        state=DeliveryState.STOPPED, starts_at=JUNE, started_at=JUNE, finished_at=JUNE + timedelta(hours=4)
    )
    assert "Wave 2 of 3" in day(month(at_colleague, "2031-06"), "2031-06-15")
    assert "Summer" not in month(at_colleague, "2031-07")


def test_time_zones_are_waves_too(at_colleague: Client) -> None:
    made = delivery(label="Summer", contact_at=JUNE, contact_by_recipient=True)
    moments = [JUNE + timedelta(hours=hours) for hours in (-12, -3, 8)]
    Delivery.objects.filter(pk=made.pk).update(contact_times=moments, starts_at=moments[0], to_deliver=3)

    page = month(at_colleague, "2031-06")

    assert "09:00</time> Summer" in day(page, "2031-06-15")
    assert "Wave 2 of 3<" in day(page, "2031-06-15")
    assert "20:00</time> Summer" in day(page, "2031-06-15")


def late(made: Delivery) -> str:
    """What is overdue; the filter agrees."""
    made.refresh_from_db()
    sentence = overdue(made, now())
    assert Delivery.objects.filter(is_overdue(now()), pk=made.pk).exists() is bool(sentence)
    return sentence


def test_a_contact_date_that_passed_without_a_confirmation_is_overdue(db: None) -> None:
    hour = timedelta(hours=1)

    passed = now() - hour
    sentence = late(analysed(delivery(people(1), contact_at=passed, contact_zone="Asia/Tokyo")))
    assert "nobody has confirmed" in sentence
    assert f"{passed.astimezone(ZoneInfo('Asia/Tokyo')):%H:%M} JST" in sentence
    assert late(delivery(contact_at=now() + hour)) == ""
    assert late(delivery()) == ""


def test_a_start_that_nobody_made_and_a_delivery_that_nobody_sends_are_overdue(db: None) -> None:
    waiting = confirmed(delivery(people(1), contact_at=now() + timedelta(hours=1)))
    running = confirmed(delivery(people(1, first=9)))
    assert late(waiting) == late(running) == ""

    ago = now() - timedelta(minutes=6)
    Delivery.objects.filter(pk=waiting.pk).update(starts_at=ago)
    Delivery.objects.filter(pk=running.pk).update(started_at=ago)

    assert "The scheduler does not run" in late(waiting)
    assert "no worker has begun" in late(running)
    Delivery.objects.filter(pk=running.pk).update(claimed_at=now())
    assert late(running) == ""


def test_what_is_overdue_is_shown_where_people_look(at_colleague: Client) -> None:
    made = delivery(label="Late", contact_at=now() - timedelta(hours=1))

    listed = at_colleague.get(reverse("admin:deliveries_delivery_changelist"), {"leaves": "overdue"}).content.decode()
    own = at_colleague.get(reverse("admin:deliveries_delivery_dashboard", args=[made.pk])).content.decode()
    home = at_colleague.get(reverse("admin:index")).content.decode()

    assert "Overdue</span>" in listed
    assert "Overdue: the contact date" in own
    assert "1 delivery is overdue." in home
    assert "Overdue</strong>" in month(at_colleague, "")
