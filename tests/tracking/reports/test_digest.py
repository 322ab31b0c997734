"""The weekly digest."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from deliveries.models import Delivery
from deliveries.sending.own_mail import OwnMail, make
from tests.deliveries.factories import builtin_blocks
from tests.tracking.reports.seen import seen
from tracking.models import WeeklyDigest
from tracking.reports import digest
from tracking.reports.digest import monday, send_due

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 30, 0, 5, tzinfo=UTC)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[OwnMail]:
    """Mails that were handed over."""
    mails: list[OwnMail] = []

    def take(number: int, said: OwnMail, at: datetime) -> str:
        make(number, said, at)
        mails.append(said)
        return ""

    monkeypatch.setattr(digest, "send", take)
    return mails


def ended(at: datetime, label: str = "Spring news", first_event: int = 1) -> Delivery:
    made = seen(label, first_event=first_event)
    Delivery.objects.filter(pk=made.pk).update(finished_at=at)
    return made


def test_it_tells_of_what_ended_in_the_week_before(marketer: User, sent: list[OwnMail]) -> None:
    made = ended(MONDAY - timedelta(days=3), "Spring\r\nBcc: x@example.com")
    ended(MONDAY - timedelta(days=8), "Too old", first_event=100)
    ended(MONDAY, "This week", first_event=200)
    WeeklyDigest.objects.create(user=marketer)

    assert send_due(MONDAY) == 1

    assert sent[0].recipient == marketer.email
    assert sent[0].subject == "Deliveries of the week before 30 November 2026: 1"
    assert "Spring Bcc: x@example.com\n" in sent[0].text
    assert "Distinct opens: 3 (75.00 % of 4 successful messages)" in sent[0].text
    assert reverse("admin:deliveries_delivery_report", args=[made.pk]) in sent[0].text
    assert "Too old" not in sent[0].text
    assert "This week" not in sent[0].text


def test_it_is_sent_once_a_week_even_by_two_schedulers(marketer: User, sent: list[OwnMail]) -> None:
    ended(MONDAY - timedelta(days=3))
    due = WeeklyDigest.objects.create(user=marketer)

    assert send_due(MONDAY) == 1
    assert send_due(MONDAY + timedelta(days=6)) == 0
    assert digest._send_alone(due.pk, monday(MONDAY), MONDAY) is False  # found before the other wrote that it sent
    assert len(sent) == 1


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_do_not_send_it_at_the_same_time(marketer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    builtin_blocks()
    ended(MONDAY - timedelta(days=3))
    WeeklyDigest.objects.create(user=marketer)
    others: list[int] = []

    def meanwhile() -> int:
        try:
            return send_due(MONDAY)
        finally:
            connection.close()

    def slow(number: int, said: OwnMail, at: datetime) -> str:
        with ThreadPoolExecutor(1) as pool:
            others.append(pool.submit(meanwhile).result(60))
        return ""

    monkeypatch.setattr(digest, "send", slow)

    assert send_due(MONDAY) == 1
    assert others == [0]


def test_one_whose_process_dies_is_sent_an_hour_later(
    marketer: User, sent: list[OwnMail], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(MONDAY - timedelta(days=3))
    WeeklyDigest.objects.create(user=marketer)
    with monkeypatch.context() as dying:
        dying.setattr(digest, "send", Mock(side_effect=SystemExit))
        with pytest.raises(SystemExit):
            send_due(MONDAY)

    assert send_due(MONDAY + timedelta(hours=1)) == 1
    assert len(sent) == 1


def test_it_tries_again_an_hour_later_and_gives_up(marketer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    ended(MONDAY - timedelta(days=3))
    WeeklyDigest.objects.create(user=marketer)
    tries: list[int] = []

    def refuse(number: int, said: OwnMail, at: datetime) -> str:
        tries.append(number)
        return "The route is down."

    monkeypatch.setattr(digest, "send", refuse)

    for hour in range(8):
        send_due(MONDAY + timedelta(hours=hour))

    assert len(tries) == digest.ATTEMPTS
    assert WeeklyDigest.objects.get().sentence == "The route is down."


def test_nobody_gets_it_who_may_not_look(outsider: User, sent: list[OwnMail]) -> None:
    ended(MONDAY - timedelta(days=3))
    WeeklyDigest.objects.create(user=outsider)

    assert send_due(MONDAY) == 0
    assert sent == []


def test_a_person_chooses_on_a_page_of_their_own(at_colleague: Client, colleague: User, at_outsider: Client) -> None:
    page = reverse("admin:deliveries_delivery_digest")

    assert "You do not get" in at_colleague.get(page).content.decode()
    assert "You get the weekly digest" in at_colleague.post(page, {"wanted": "1"}, follow=True).content.decode()
    assert WeeklyDigest.objects.get().user == colleague
    at_colleague.post(page, {"wanted": "0"})
    assert not WeeklyDigest.objects.exists()
    assert at_outsider.post(page, {"wanted": "1"}).status_code == 403
