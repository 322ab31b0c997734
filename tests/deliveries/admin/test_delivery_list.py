import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaign.lib.clock import now
from deliveries.models import Delivery, DeliveryTemplate, Part
from deliveries.states import DeliveryState
from tests.deliveries.factories import analysed, confirmed, delivery, people


def listed(client: Client, **query: Any) -> str:
    response = client.get(reverse("admin:deliveries_delivery_changelist"), query)
    assert response.status_code == 200
    return response.content.decode()


def test_it_shows_state_and_progress(at_marketer: Client) -> None:
    made = confirmed(delivery(people(5), label="Spring"))
    Part.objects.filter(delivery=made).update(sent=3, failed=1)

    page = listed(at_marketer)

    assert "In progress" in page
    assert "3 sent" in page
    assert "1 failed" in page


def test_it_leads_to_the_page_of_the_delivery(at_marketer: Client) -> None:
    made = delivery(label="Spring")

    assert f'href="{reverse("admin:deliveries_delivery_dashboard", args=[made.pk])}"' in listed(at_marketer)


def test_it_searches_label_and_code(at_marketer: Client) -> None:
    delivery(label="Spring", code="S24")
    delivery(label="Autumn", code="A24")

    assert "Autumn" not in listed(at_marketer, q="spri")
    assert "Spring" in listed(at_marketer, q="s24")


def test_it_filters_by_state(at_marketer: Client) -> None:
    delivery(label="Still a draft")
    made = analysed(delivery(people(1), label="All set"))

    page = listed(at_marketer, state__exact=made.state)

    assert "All set" in page
    assert "Still a draft" not in page


@pytest.mark.parametrize(
    ("leaves", "labels"),
    [
        ("overdue", {"Yesterday"}),
        ("next7", {"Tomorrow"}),
        ("next30", {"Tomorrow", "In a fortnight"}),
        ("last7", {"Yesterday"}),
        ("last30", {"Yesterday", "A fortnight ago"}),
        ("open", {"Some day"}),
        ("nonsense", {"Yesterday", "Tomorrow", "In a fortnight", "A fortnight ago", "Some day"}),
    ],
)
def test_it_filters_by_when_a_delivery_leaves(at_marketer: Client, leaves: str, labels: set[str]) -> None:
    days = {"Yesterday": -1, "Tomorrow": 1, "In a fortnight": 14, "A fortnight ago": -14}
    for label, number in days.items():
        delivery(label=label, contact_at=now() + timedelta(days=number))
    Delivery.objects.filter(label="A fortnight ago").update(state=DeliveryState.ANALYSING)
    Delivery.objects.filter(label="A fortnight ago").update(state=DeliveryState.READY)
    Delivery.objects.filter(label="A fortnight ago").update(
        state=DeliveryState.IN_PROGRESS, started_at=now() - timedelta(days=14), claimed_at=now()
    )
    delivery(label="Some day")

    response = at_marketer.get(reverse("admin:deliveries_delivery_changelist"), {"leaves": leaves})

    assert {one.label for one in response.context["cl"].result_list} == labels


def test_it_filters_by_template_and_creator(at_marketer: Client, marketer: User) -> None:
    monthly = DeliveryTemplate.objects.create(label="Monthly")
    delivery(label="Spring", template=monthly)
    delivery(label="Autumn", created_by=marketer)

    by_template = listed(at_marketer, template=monthly.pk)
    by_creator = listed(at_marketer, created_by__id__exact=marketer.pk)

    assert ("Spring" in by_template, "Autumn" in by_template) == (True, False)
    assert ("Spring" in by_creator, "Autumn" in by_creator) == (False, True)


def test_it_answers_at_once_with_very_many_deliveries(at_marketer: Client, marketer: User) -> None:
    monthly = DeliveryTemplate.objects.create(label="Monthly")
    Delivery.objects.bulk_create(
        Delivery(label=f"Number {n}", html="x" * 9999, contact_at=now() + timedelta(hours=n), template=monthly)
        for n in range(5000)
    )
    listed(at_marketer)

    for query in (
        {},
        {"q": "Number 49"},
        {"leaves": "next30", "template": monthly.pk},
        {"leaves": "overdue"},
    ):
        with CaptureQueriesContext(connection) as queries:
            begun = time.monotonic()
            listed(at_marketer, **query)
            took = time.monotonic() - begun
        assert len(queries) < 20, query
        assert not [one for one in queries if '"html"' in one["sql"]]
        assert took < 3, query  # on a busy machine; alone it is a tenth of that


def test_it_costs_the_same_for_one_delivery_as_for_many(at_marketer: Client) -> None:
    confirmed(delivery(people(3)))
    listed(at_marketer)
    with CaptureQueriesContext(
        connection,
    ) as few:
        listed(at_marketer)
    for number in range(20):
        delivery(label=f"Delivery {number}")
    with CaptureQueriesContext(connection) as many:
        listed(at_marketer)

    assert len(few) == len(many) <= 14
    assert not [query for query in many if "deliveries_message" in query["sql"]]


def test_it_escapes_labels(at_marketer: Client) -> None:
    delivery(label="<script>alert(1)</script>")

    assert "<script>alert(1)" not in listed(at_marketer)


def test_it_is_closed_to_outsiders(at_outsider: Client) -> None:
    assert at_outsider.get(reverse("admin:deliveries_delivery_changelist")).status_code == 403
