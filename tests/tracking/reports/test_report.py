"""The report of a delivery."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from kombu.exceptions import OperationalError

from campaign.lib.clock import now
from deliveries.models import Delivery
from tests.deliveries import factories
from tests.tracking.reports.seen import AT, seen
from tracking.figures.models import EventTally, LogCount
from tracking.models import Event, EventLoss, UserAgent

pytestmark = pytest.mark.django_db


def url(made: Delivery, name: str = "report") -> str:
    return reverse(f"admin:deliveries_delivery_{name}", args=[made.pk])


def report(client: Client, made: Delivery, **query: Any) -> str:
    response = client.get(url(made), query)
    assert response.status_code == 200
    return response.content.decode()


def rows(page: str, section: str) -> list[list[str]]:
    """The rows of a section's tables as people read them."""
    part = page.partition(f'aria-labelledby="{section}"')[2].partition("</section>")[0]
    return [
        [
            " ".join(re.sub(r"<[^>]+>", " ", cell).split())
            for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr[ >].*?</tr>", part, re.DOTALL)
    ]


def test_it_says_what_each_figure_is_a_share_of(at_marketer: Client) -> None:
    found = {row[0]: row for row in rows(report(at_marketer, seen()), "indicators")}

    assert found["Success"][1:3] == ["4", "100.00 % of 4 processed messages"]
    assert found["Distinct opens"][1:3] == ["3", "75.00 % of 4 successful messages"]
    assert found["Total opens"][1:3] == ["3", ""]
    assert found["Recipients who clicked"][1:3] == ["2", "50.00 % of 4 successful messages"]
    assert found["Total clicks"][1] == "3"
    assert found["Raw reactivity"][1:3] == ["", "66.67 % of 3 distinct opens"]


def test_it_adds_machines_when_asked(at_marketer: Client) -> None:
    made = seen()

    found = {row[0]: row for row in rows(report(at_marketer, made, machines=1), "indicators")}

    assert found["Distinct opens"][1] == "4"
    assert found["Recipients who clicked"][1] == "3"
    assert "People only" in report(at_marketer, made, machines=1)


def test_it_adds_up_links_with_the_same_address_or_the_same_label(at_marketer: Client) -> None:
    made = seen()

    by_address = rows(report(at_marketer, made), "links")
    by_label = rows(report(at_marketer, made, links="label"), "links")

    shop = next(row for row in by_address if "shop.example" in row[0])
    assert "Shop, Picture of the shop" in shop[0]
    assert "2 links" in shop[0]
    assert shop[3:6] == ["2", "66.67 %", "2"]
    assert [row[3] for row in by_label if row[0].startswith(("Shop", "Picture"))] == ["1", "1"]


def test_it_divides_by_what_was_sent_on_each_domain(at_marketer: Client) -> None:
    assert rows(report(at_marketer, seen()), "domains")[1:] == [
        ["example.org", "4", "0", "0.00 %", "3", "75.00 %", "2", "50.00 %"]
    ]


def test_it_draws_the_hours_and_shows_them_as_a_table(at_marketer: Client) -> None:
    page = report(at_marketer, seen())

    assert [row[1:] for row in rows(page, "hours")[1:]] == [["4", "2", "0"], ["0", "0", "0"], ["0", "1", "3"]]
    assert f"{AT:%-d %b}, 11:00: 3 clicks" in page
    assert page.count("<rect") == 6


def test_it_shows_what_was_read_with(at_marketer: Client) -> None:
    found = rows(report(at_marketer, seen()), "programs")

    assert ["Phone", "3", "100.00 %", "2", "3", "3"] in found
    assert ["Safari", "3", "100.00 %", "2", "3", "3"] in found


def test_it_costs_fewer_than_20_queries(at_marketer: Client, django_assert_max_num_queries) -> None:
    made = seen()

    with django_assert_max_num_queries(19):
        report(at_marketer, made)
    with django_assert_max_num_queries(19):
        at_marketer.get(url(made, "hot_clicks"))


def test_it_escapes_what_others_wrote(at_marketer: Client) -> None:
    nasty = '<img src=x onerror="alert(1)">'
    link = '<a href="https://x.example/?<script>" title="&lt;script&gt;"></a>'
    made = seen(nasty, agent=nasty, html=f"<html><body>{link}</body></html>")
    EventTally.objects.filter(delivery_id=made.pk, key="example.org").update(key=nasty)

    for page in (report(at_marketer, made), at_marketer.get(url(made, "hot_clicks")).content.decode()):
        assert "<img src=x" not in page
        assert "<script>" not in page
    assert "&lt;img src=x" in report(at_marketer, made)
    assert UserAgent.objects.get().browser == nasty


def test_it_says_that_nothing_has_started(at_marketer: Client) -> None:
    assert "There is nothing to report yet" in report(at_marketer, factories.delivery())


def test_it_says_that_the_log_is_being_counted(at_marketer: Client) -> None:
    made = seen()
    LogCount.objects.all().delete()

    assert "The delivery log is being counted" in report(at_marketer, made)


def test_it_says_that_nobody_counts(at_marketer: Client) -> None:
    made = seen()
    late = Event.objects.order_by("pk").first()
    assert late is not None
    Event.objects.filter(pk=late.pk).update(counted=0, at=now() - timedelta(minutes=6))

    assert "Figures are late" in report(at_marketer, made)


def test_it_says_what_was_lost_since_the_delivery_started(at_marketer: Client) -> None:
    made = seen()
    EventLoss.objects.create(pk=1, at=now() - timedelta(days=9), count=500, reason="Redis was full")
    assert "could not be kept" not in report(at_marketer, made)

    EventLoss.objects.create(pk=2, at=now(), count=7, reason="Redis was full")
    assert "7 events (of all deliveries) could not be kept" in report(at_marketer, made)


def test_it_is_a_button_of_a_delivery_that_has_started(at_marketer: Client) -> None:
    made, draft = seen(), factories.delivery()

    assert url(made) in at_marketer.get(url(made, "dashboard")).content.decode()
    assert url(draft) not in at_marketer.get(url(draft, "dashboard")).content.decode()


@pytest.mark.parametrize("name", ["report", "recount", "hot_clicks"])
def test_it_is_for_those_who_may_view_deliveries(at_outsider: Client, name: str) -> None:
    assert at_outsider.get(url(seen(), name)).status_code == 403


def test_it_counts_again_when_somebody_confirms(
    at_marketer: Client, at_colleague: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = seen()
    asked: list[int] = []

    def take(_: str, delivery_id: int) -> bool:
        asked.append(delivery_id)
        return True

    monkeypatch.setattr("tracking.reports.report.hint", take)

    assert at_colleague.post(url(made, "recount")).status_code == 403
    assert "Count the figures again?" in at_marketer.get(url(made, "recount")).content.decode()
    assert asked == []
    assert at_marketer.post(url(made, "recount")).status_code == 302
    assert asked == [made.pk]
    Delivery.objects.filter(pk=made.pk).update(log_purged_at=now())
    assert "The delivery log was deleted" in at_marketer.post(url(made, "recount")).content.decode()
    assert asked == [made.pk]


def test_it_says_when_the_queue_does_not_answer(at_marketer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("nobody answers")

    monkeypatch.setattr("celery.Celery.send_task", refuse)

    page = at_marketer.post(url(seen(), "recount"), follow=True).content.decode()

    assert "The queue does not answer, so nothing is counted." in page
