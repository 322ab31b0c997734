import re
from typing import Any

from django.test import Client
from django.urls import reverse

from campaign.lib.signing import MIRROR
from deliveries.identifiers import find_message
from deliveries.models import Delivery, Message
from deliveries.sending.outcomes import NOT_MADE
from deliveries.sending.verdict import FailureType, Reason
from deliveries.states import MessageState
from recipients.models import Recipient
from tests.deliveries.factories import analysed, confirmed, delivery, people


def log(client: Client, made: Delivery, **query: Any) -> str:
    response = client.get(reverse("admin:deliveries_delivery_log", args=[made.pk]), query)
    assert response.status_code == 200
    return response.content.decode()


def addresses(page: str) -> list[str]:
    return re.findall(r'class="c-address">([^<]*)<', page)


def link(page: str, rel: str) -> dict[str, str]:
    found = re.search(rf'rel="{rel}" href="\?([^"]*)"', page)
    assert found
    return dict(pair.split("=") for pair in found[1].replace("&amp;", "&").split("&"))


def numbers(first: int, last: int) -> list[str]:
    return [f"person{number}@example.org" for number in range(first, last + 1)]


def test_it_goes_forth_and_back_along_the_message_numbers(at_marketer: Client) -> None:
    made = analysed(delivery(people(120)))

    first = log(at_marketer, made)
    second = log(at_marketer, made, **link(first, "next"))
    third = log(at_marketer, made, **link(second, "next"))
    back = log(at_marketer, made, **link(third, "prev"))

    assert addresses(first) == numbers(1, 50)
    assert addresses(second) == numbers(51, 100)
    assert addresses(third) == numbers(101, 120)
    assert addresses(back) == numbers(51, 100)
    assert 'rel="prev"' not in first
    assert 'rel="next"' not in third


def test_it_costs_the_same_at_any_size(at_marketer: Client, django_assert_max_num_queries) -> None:
    small, large = analysed(delivery(people(3, on="Few"))), delivery()
    large.target_lists.add(people_more(200))
    analysed(large)

    for made in (small, large):
        with django_assert_max_num_queries(10) as captured:
            log(at_marketer, made, address="person1")
        assert not [query for query in captured if "COUNT(" in query["sql"]]


def people_more(count: int):
    Recipient.objects.all().delete()
    return people(count, on="Many")


def test_it_shows_one_state(at_marketer: Client) -> None:
    made = analysed(delivery(people(3)))
    failed = Message.objects.of_delivery(made.pk).order_by("pk")[1]
    Message.objects.filter(pk=failed.pk).update(state=MessageState.FAILED, reply="550 5.1.1 unknown")

    page = log(at_marketer, made, state=int(MessageState.FAILED))

    assert addresses(page) == ["person2@example.org"]
    assert "550 5.1.1 unknown" in page


def test_it_finds_an_address_in_any_spelling_and_by_its_beginning(at_marketer: Client) -> None:
    made = analysed(delivery(people(12)))

    assert addresses(log(at_marketer, made, address="PERSON2@Example.org")) == ["person2@example.org"]
    assert addresses(log(at_marketer, made, address="person1")) == [
        "person1@example.org", "person10@example.org", "person11@example.org", "person12@example.org",
    ]  # fmt: skip


def test_it_finds_the_message_to_somebody_whose_profile_is_gone(at_marketer: Client) -> None:
    made = analysed(delivery(people(2)))
    Message.objects.of_delivery(made.pk).update(recipient=None)
    Recipient.objects.all().delete()

    assert addresses(log(at_marketer, made, address="person2@example.org")) == ["person2@example.org"]


def test_it_leads_to_the_mirror_page_of_the_message(at_marketer: Client) -> None:
    made = confirmed(delivery(people(1)))

    found = re.search(r'href="/m/([^"]+)"', log(at_marketer, made))

    assert found
    assert find_message(MIRROR, found[1]).address == "person1@example.org"


def test_it_escapes_what_a_server_answered(at_marketer: Client) -> None:
    made = analysed(delivery(people(1)))
    Message.objects.of_delivery(made.pk).update(reply='550 <img src=x onerror=alert(1)>"', state=MessageState.FAILED)

    page = log(at_marketer, made)

    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;&quot;" in page


def test_it_tells_an_empty_log_from_an_empty_search(at_marketer: Client) -> None:
    made = delivery()

    assert "The log is empty" in log(at_marketer, made)
    assert "No message matches" in log(at_marketer, made, address="nobody@example.org")


def test_it_takes_nonsense_for_nothing(at_marketer: Client) -> None:
    made = analysed(delivery(people(1)))

    assert addresses(log(at_marketer, made, state="x", after="²", before="-1")) == ["person1@example.org"]


def test_it_offers_no_page_that_would_not_open(at_marketer: Client) -> None:
    readers = people(1)
    waiting, failed = analysed(delivery(readers)), confirmed(delivery(readers))
    Message.objects.of_delivery(failed.pk).update(state=MessageState.FAILED, reply=f"{NOT_MADE}A value does not fit.")

    assert "/m/" not in log(at_marketer, waiting)
    assert "/m/" not in log(at_marketer, failed)


def test_it_says_why_a_message_failed(at_marketer: Client) -> None:
    made = confirmed(delivery(people(2)))
    first = Message.objects.of_delivery(made.pk).order_by("pk").first()
    assert first is not None
    Message.objects.filter(pk=first.pk).update(
        state=MessageState.FAILED, failure_type=FailureType.HARD, reason=Reason.USER_UNKNOWN, reply="550 5.1.1 No."
    )

    page = log(at_marketer, made)

    assert page.count("Hard, User unknown") == 1
    assert f"/admin/deliveries/delivery/{made.pk}/report/export/log.csv" in page
