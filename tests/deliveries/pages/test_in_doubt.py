"""The page on which people choose among messages in doubt."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deliveries.models import Delivery, Message
from deliveries.pages import in_doubt
from deliveries.states import MessageState
from tests.deliveries.factories import confirmed, delivery, doubtful, people, states
from tests.deliveries.pages.test_acts import act, said


def shown(client: Client, made: Delivery, **query: Any) -> str:
    response = client.get(reverse("admin:deliveries_delivery_in_doubt", args=[made.pk]), query)
    assert response.status_code == 200
    return response.content.decode()


def ask(client: Client, made: Delivery, name: str, **query: Any) -> Any:
    return client.get(reverse("admin:deliveries_delivery_question", args=[made.pk, name]), query)


def addresses(page: str) -> list[str]:
    return re.findall(r'<label for="message-\d+">([^<]*)<', page)


def ids(made: Delivery, *numbers: int) -> list[int]:
    return [made.pk << 32 | number for number in numbers]


def test_some_are_ticked_confirmed_and_closed(at_marketer: Client) -> None:
    made = doubtful(confirmed(delivery(people(6), part_size=2)), 2, 3, 5)
    assert addresses(shown(at_marketer, made)) == [f"person{number}@example.org" for number in (2, 3, 5)]

    question = ask(at_marketer, made, "close_in_doubt", some=1, message=ids(made, 3, 5)).content.decode()
    assert "Close 2 messages in doubt?" in question
    assert "person3@example.org" in question
    assert "person2@example.org" not in question
    assert states(made).count(MessageState.IN_DOUBT) == 3

    hidden = re.findall(r'name="message" value="(\d+)" form="act"', question)
    done = act(at_marketer, made, "close_in_doubt", some=1, message=hidden)

    assert said(done) == ["Messages in doubt that now count as sent: 2."]
    assert done["Location"] == reverse("admin:deliveries_delivery_in_doubt", args=[made.pk])
    assert addresses(shown(at_marketer, made)) == ["person2@example.org"]


def test_one_is_sent_again_and_all_still_can_be(at_marketer: Client) -> None:
    made = doubtful(confirmed(delivery(people(4))), 1, 2, 3)

    act(at_marketer, made, "resend_in_doubt", some=1, message=ids(made, 2))
    assert states(made)[:3] == [MessageState.IN_DOUBT, MessageState.PENDING, MessageState.IN_DOUBT]

    assert "Send 2 messages again?" in ask(at_marketer, made, "resend_in_doubt").content.decode()
    act(at_marketer, made, "resend_in_doubt")
    assert states(made)[:3] == [MessageState.PENDING] * 3


@pytest.mark.parametrize("name", in_doubt.ACTS)
def test_nothing_ticked_is_said_and_never_taken_for_all(at_marketer: Client, name: str) -> None:
    made = doubtful(confirmed(delivery(people(2))), 1, 2)

    for answer in (ask(at_marketer, made, name, some=1), act(at_marketer, made, name, some=1, message="nonsense")):
        assert answer["Location"] == reverse("admin:deliveries_delivery_in_doubt", args=[made.pk])
        assert said(answer)[-1].startswith("Tick the messages first")
    gone = ask(at_marketer, made, name, some=1, message=ids(made, 9))
    assert "in doubt any more" in said(gone)[-1]
    assert states(made) == [MessageState.IN_DOUBT] * 2


def test_who_may_only_look_sees_them_and_has_nothing_to_tick(at_colleague: Client) -> None:
    made = doubtful(confirmed(delivery(people(2))), 1)

    page = shown(at_colleague, made)

    assert "person1@example.org" in page
    assert "checkbox" not in page.partition("<main")[2]
    for name in in_doubt.ACTS:
        assert ask(at_colleague, made, name, some=1, message=ids(made, 1)).status_code == 403
        assert act(at_colleague, made, name, some=1, message=ids(made, 1)).status_code == 403
    assert states(made)[0] == MessageState.IN_DOUBT


def test_it_goes_page_by_page_and_finds_an_address(at_marketer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_doubt, "PAGE", 2)
    made = doubtful(confirmed(delivery(people(30), part_size=3)), 1, 2, 11, 20, 29)

    first = shown(at_marketer, made)
    second = shown(at_marketer, made, after=made.pk << 32 | 2)
    last = shown(at_marketer, made, after=made.pk << 32 | 20)
    back = shown(at_marketer, made, before=made.pk << 32 | 29)

    pages = [[address.removesuffix("@example.org") for address in addresses(page)] for page in (first, second, last)]
    assert pages == [["person1", "person2"], ["person11", "person20"], ["person29"]]
    assert addresses(back) == addresses(second)
    assert 'rel="next"' not in last
    assert addresses(shown(at_marketer, made, address="person20")) == ["person20@example.org"]
    assert addresses(shown(at_marketer, made, address="PERSON29@example.org")) == ["person29@example.org"]
    assert "No message in doubt matches" in shown(at_marketer, made, address="person3")
    Message.objects.of_delivery(made.pk).filter(address="person20@example.org").update(recipient=None)
    assert "Nothing further" in shown(at_marketer, made, after=made.pk << 32 | 30)


def test_it_costs_the_same_at_any_size(at_marketer: Client, django_assert_max_num_queries: Any) -> None:
    few = doubtful(confirmed(delivery(people(2))), 1)
    many = doubtful(confirmed(delivery(people(200, on="Many", first=10), part_size=2)), *range(1, 201))

    for made, rows in ((few, 1), (many, 50)):
        with django_assert_max_num_queries(11) as captured:
            page = shown(at_marketer, made)
        assert not [query for query in captured if "COUNT(" in query["sql"]]
        assert len(addresses(page)) == rows


def test_it_says_that_nothing_is_in_doubt(at_marketer: Client) -> None:
    assert "Nothing is in doubt" in shown(at_marketer, confirmed(delivery(people(1))))
