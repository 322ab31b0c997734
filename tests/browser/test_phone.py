"""What fits a phone: 390 pixels, and nothing that is only seen by pushing it sideways."""

import pytest
from playwright.sync_api import Page

from deliveries.states import MessageState
from tests.deliveries.factories import confirmed, delivery, doubtful, people, states

pytestmark = pytest.mark.django_db(transaction=True)

SIDEWAYS = """() => [...document.querySelectorAll("html, main *")]
    .filter((one) => one.scrollWidth > one.clientWidth + 1)
    .filter((one) => one.tagName === "HTML" || ["auto", "scroll"].includes(getComputedStyle(one).overflowX))
    .map((one) => one.outerHTML.slice(0, 200))"""


def test_the_links_of_a_delivery_stand_one_below_the_other(marketers_page: Page) -> None:
    page = marketers_page
    page.set_viewport_size({"width": 390, "height": 844})
    made = delivery(html=f'<a href="https://shop.example/{"long/" * 40}?with=parameters">Buy</a> <a href="#here">X</a>')

    page.goto(f"/admin/deliveries/delivery/{made.pk}/links/")

    assert page.evaluate(SIDEWAYS) == []
    assert page.get_by_label("Category of https://shop.example/").evaluate("one => one.clientWidth") > 300


def test_messages_in_doubt_are_ticked_and_closed(marketers_page: Page, complaints: list[str]) -> None:
    page = marketers_page
    page.set_viewport_size({"width": 390, "height": 844})
    made = doubtful(confirmed(delivery(people(4))), 1, 2, 4)
    page.goto(f"/admin/deliveries/delivery/{made.pk}/in-doubt/")
    assert page.evaluate(SIDEWAYS) == []

    page.get_by_role("button", name="Tick all on this page").click()
    page.get_by_label("person2@example.org").uncheck()
    page.get_by_role("button", name="Close the ticked ones").click()
    assert "Close 2 messages in doubt?" in page.inner_text("main")
    assert "person2@example.org" not in page.inner_text("main")
    page.get_by_role("button", name="Count as sent").click()

    assert "1 message is in doubt" in page.inner_text("main")
    assert states(made) == [MessageState.SENT, MessageState.IN_DOUBT, MessageState.SENT, MessageState.SENT]
    assert complaints == []
