"""The population, estimated at once."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deliveries.models import Delivery, Exclusion, Message
from recipients import denylist
from recipients.models import Recipient, SavedQuery
from tests.deliveries.factories import delivery, people

pytestmark = pytest.mark.django_db


def shown(client: Client, made: Delivery, **headers: Any) -> str:
    response = client.get(reverse("admin:deliveries_delivery_estimate", args=[made.pk]), headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_it_counts_with_the_exclusions_by_reason_and_writes_nothing(at_marketer: Client) -> None:
    made = delivery(people(1200))
    denylist.deny(Recipient.objects.all()[0], source="phone")

    page = shown(at_marketer, made)

    assert "<dt>Found</dt><dd>1,200</dd>" in page
    assert "Excluded: Denylisted: asked not to be written to</dt><dd>1</dd>" in page
    assert "<strong>1,199</strong>" in page
    assert not Message.objects.exists()
    assert not Exclusion.objects.exists()


def test_it_is_a_part_of_the_deliverys_page_without_reload(at_marketer: Client) -> None:
    made = delivery(people(1))

    fragment = shown(at_marketer, made, hx_request="true")

    assert fragment.strip().startswith('<div id="estimate"')
    assert "<html" not in fragment
    page = at_marketer.get(reverse("admin:deliveries_delivery_dashboard", args=[made.pk])).content.decode()
    assert "Estimate the population" in page


def test_it_says_which_query_cannot_be_used(at_marketer: Client) -> None:
    made = delivery()
    broken = {"match": "all", "items": [{"field": "attribute.gone", "is": "filled"}]}
    made.target_queries.add(SavedQuery.objects.create(name="VIPs", definition=broken))

    assert "The query “VIPs” cannot be used" in shown(at_marketer, made)


@pytest.mark.django_db(transaction=True)
def test_it_gives_up_what_takes_too_long_and_the_connection_stays_as_it_was(at_marketer: Client, monkeypatch) -> None:
    from django.db import connection

    monkeypatch.setattr("deliveries.pages.estimate.MOST_SECONDS", 0.001)
    made = delivery(people(2000))

    assert "was given up" in shown(at_marketer, made)
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone()[0] == "0"


def test_it_is_for_those_who_may_look(at_colleague: Client, at_outsider: Client) -> None:
    made = delivery(people(1))
    address = reverse("admin:deliveries_delivery_estimate", args=[made.pk])

    assert at_colleague.get(address).status_code == 200
    assert at_outsider.get(address).status_code == 403
