from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from deliveries.models import Part
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

    assert len(few) == len(many) <= 10
    assert not [query for query in many if "deliveries_message" in query["sql"]]


def test_it_escapes_labels(at_marketer: Client) -> None:
    delivery(label="<script>alert(1)</script>")

    assert "<script>alert(1)" not in listed(at_marketer)


def test_it_is_closed_to_outsiders(at_outsider: Client) -> None:
    assert at_outsider.get(reverse("admin:deliveries_delivery_changelist")).status_code == 403
