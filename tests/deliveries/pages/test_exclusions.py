from django.test import Client
from django.urls import reverse

from deliveries.models import Delivery
from recipients.models import Quarantine, Recipient
from tests.deliveries.factories import analysed, delivery, people


def shown(client: Client, made: Delivery, **query: str) -> str:
    return client.get(reverse("admin:deliveries_delivery_exclusions", args=[made.pk]), query).content.decode()


def test_it_names_the_people_left_out_and_why(at_marketer: Client) -> None:
    readers = people(3)
    Quarantine.objects.create(address_key="person1@example.org")
    Recipient.objects.filter(address_key="person2@example.org").update(address=None, address_key=None)
    made = analysed(delivery(readers))

    everybody = shown(at_marketer, made)
    quarantined = shown(at_marketer, made, reason="quarantined")

    assert "person1@example.org" in everybody
    assert "Address not specified" in everybody
    assert "person3@example.org" not in everybody
    assert quarantined.count('class="c-address"') == 1


def test_it_pages_along_the_key(at_marketer: Client, django_assert_max_num_queries) -> None:
    readers = people(130)
    Recipient.objects.update(address=None, address_key=None)
    Recipient.objects.filter(pk=Recipient.objects.order_by("-pk").values("pk")[:1]).update(
        address="last@example.org", address_key="last@example.org"
    )
    made = analysed(delivery(readers))

    with django_assert_max_num_queries(12):
        first = shown(at_marketer, made)
    after = first.split("after=")[1].split('"')[0]

    assert first.count('class="c-address"') == 100
    assert shown(at_marketer, made, after=after).count('class="c-address"') == 29


def test_it_says_when_nobody_is_left_out(at_marketer: Client) -> None:
    assert "Nobody is left out" in shown(at_marketer, analysed(delivery(people(1))))


def test_the_deliverys_page_leads_to_it(at_marketer: Client) -> None:
    readers = people(2)
    Quarantine.objects.create(address_key="person1@example.org")
    made = analysed(delivery(readers))

    page = at_marketer.get(reverse("admin:deliveries_delivery_dashboard", args=[made.pk])).content.decode()

    assert f"/{made.pk}/excluded/?reason=quarantined" in page
