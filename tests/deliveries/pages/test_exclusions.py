import csv

from django.test import Client
from django.urls import reverse

from deliveries.models import Delivery
from deliveries.pages import exclusions
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


def downloaded(client: Client, made: Delivery, **query: str) -> list[list[str]]:
    response = client.get(reverse("admin:deliveries_delivery_exclusions_file", args=[made.pk]), query)
    assert response.headers["Content-Disposition"] == f'attachment; filename="excluded-{made.pk}.csv"'
    content = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(content.splitlines()))


def test_everybody_left_out_can_be_downloaded_in_chunks(at_marketer: Client, monkeypatch) -> None:
    monkeypatch.setattr(exclusions, "CHUNK", 3)
    readers = people(8)
    for number in range(1, 8):
        Quarantine.objects.create(address_key=f"person{number}@example.org")
    made = analysed(delivery(readers))

    header, *lines = downloaded(at_marketer, made)

    assert header == ["Address", "Reason", "Recipient"]
    assert [line[0] for line in lines] == [f"person{number}@example.org" for number in range(1, 8)]
    assert {line[1] for line in lines} == {"Address in quarantine"}
    assert lines[0][2] == str(Recipient.objects.get(first_name="name1").pk)
    assert downloaded(at_marketer, made, reason="denylisted") == [header]


def test_no_address_in_the_file_is_taken_for_a_formula(at_marketer: Client) -> None:
    readers = people(2)
    Recipient.objects.filter(first_name="name1").update(address="=1+1@example.org", address_key="=1+1@example.org")
    Quarantine.objects.create(address_key="=1+1@example.org")

    assert downloaded(at_marketer, analysed(delivery(readers)))[1][0] == "'=1+1@example.org"


def test_the_list_and_the_file_are_for_those_who_may_look(at_colleague: Client, at_outsider: Client) -> None:
    made = delivery()

    for name in ("exclusions", "exclusions_file"):
        address = reverse(f"admin:deliveries_delivery_{name}", args=[made.pk])
        assert at_colleague.get(address).status_code == 200
        assert at_outsider.get(address).status_code == 403


def test_each_line_leads_to_the_reasons_in_full(at_marketer: Client) -> None:
    readers = people(2)
    Quarantine.objects.create(address_key="person1@example.org")
    made = analysed(delivery(readers))
    person = Recipient.objects.get(first_name="name1")

    assert f"why/?recipient={person.pk}&amp;delivery={made.pk}" in shown(at_marketer, made)
