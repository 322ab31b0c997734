"""Deliveries beside each other."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.deliveries import factories
from tests.tracking.reports.seen import seen

pytestmark = pytest.mark.django_db


def compare(client: Client, numbers: list[int]):
    data = {"action": "compare_selected", "_selected_action": numbers}
    return client.post(reverse("admin:deliveries_delivery_changelist"), data, follow=True)


def test_it_shows_the_chosen_deliveries_side_by_side(at_colleague: Client) -> None:
    first, second = seen("First"), seen("Second", first_event=100)

    response = compare(at_colleague, [first.pk, second.pk])

    page = response.content.decode()
    assert response.status_code == 200
    assert page.index("First</a>") < page.index("Second</a>")
    assert page.count("66.67 %") >= 2
    assert "First: 750 ‰ distinct opens" in page


def test_it_refuses_too_few_and_too_many(at_marketer: Client) -> None:
    numbers = [factories.delivery().pk for _ in range(11)]

    assert "Choose 2 to 10 deliveries" in compare(at_marketer, numbers[:1]).content.decode()
    assert "Choose 2 to 10 deliveries" in compare(at_marketer, numbers).content.decode()
    assert at_marketer.get(reverse("admin:deliveries_delivery_compare"), {"delivery": "²"}).status_code == 200


def test_it_costs_the_same_for_two_and_for_ten(at_marketer: Client, django_assert_max_num_queries) -> None:
    numbers = [factories.delivery().pk for _ in range(10)]

    with django_assert_max_num_queries(19):
        page = at_marketer.get(reverse("admin:deliveries_delivery_compare"), {"delivery": numbers})

    assert page.content.decode().count("Not started") == 10


def test_it_is_for_those_who_may_view_deliveries(at_outsider: Client) -> None:
    assert at_outsider.get(reverse("admin:deliveries_delivery_compare")).status_code == 403
