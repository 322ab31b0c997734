from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from deliveries.models import DeliveryTemplate, Route
from tests.deliveries.factories import analysed, delivery, people


def home(client: Client) -> str:
    return client.get(reverse("admin:index")).content.decode()


def test_it_shows_the_latest_deliveries_and_where_to_begin(at_marketer: Client) -> None:
    delivery(label="Spring news")

    page = home(at_marketer)

    assert "Spring news" in page
    assert reverse("admin:deliveries_delivery_create") in page


def test_it_tells_a_new_installation_what_is_missing(at_marketer: Client) -> None:
    Route.objects.all().delete()
    DeliveryTemplate.objects.all().delete()

    page = home(at_marketer)

    assert "No delivery yet" in page
    assert reverse("admin:deliveries_route_add") in page
    assert reverse("admin:deliveries_deliverytemplate_add") in page


def test_it_tells_somebody_without_access_whom_to_ask(at_outsider: Client) -> None:
    delivery(label="Secret plans")

    page = home(at_outsider)

    assert "Secret plans" not in page
    assert "no access to deliveries" in page


def test_it_offers_a_colleague_no_delivery_to_create(at_colleague: Client) -> None:
    people(1)

    assert reverse("admin:deliveries_delivery_create") not in home(at_colleague)


def test_it_lists_what_waits_for_those_who_may_start_it(at_marketer: Client, at_colleague: Client) -> None:
    made = analysed(delivery(people(1), label="For all"))
    named = analysed(delivery(people(1, first=5), label="For one"))
    named.reviewers.add(User.objects.create_user("reviewer"))

    waiting = home(at_marketer).partition("Waiting for your approval")[2].partition("</section>")[0]

    assert made.label in waiting
    assert named.label not in waiting
    assert "Waiting for your approval" not in home(at_colleague)
