"""What fits a phone: 390 pixels, and nothing that is only seen by pushing it sideways."""

import pytest
from playwright.sync_api import Page

from tests.deliveries.factories import delivery

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
