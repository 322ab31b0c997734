"""Every page for everybody: axe-core finds nothing, and the Tab key reaches all that a mouse can."""

import pytest
from playwright.sync_api import Page

from tests.browser.mends import mends
from tests.browser.pages import prepare

pytestmark = pytest.mark.django_db(transaction=True)

CLICKABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=tab], [x-on\\:click]"

UNREACHED = """(clickable) => [...document.querySelectorAll(clickable)]
    .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.disabled)
    .filter((element) => element.getAttribute("role") !== "tab" || element.getAttribute("aria-selected") === "true")
    .filter((element) => !element.dataset.reached)
    .filter((element) => element.type !== "radio" || ![...document.getElementsByName(element.name)]
        .some((other) => other.dataset.reached))
    .map((element) => element.outerHTML.slice(0, 200))"""

MARK = """() => document.addEventListener("focusin", (event) => { event.target.dataset.reached = "yes"; })"""

MOST_STOPS = 200
STOPS_AT_ONCE = 20


@pytest.mark.parametrize("width", [1280, 390])
def test_it_finds_nothing_to_mend_on_any_page(marketers_page: Page, complaints: list[str], width: int) -> None:
    marketers_page.set_viewport_size({"width": width, "height": 900})
    found = {}

    for name, address in prepare().items():
        marketers_page.goto(address)
        marketers_page.wait_for_load_state("load")
        found[name] = mends(marketers_page)

    assert {name: what for name, what in found.items() if what} == {}
    assert complaints == []


def test_it_reaches_everything_with_the_tab_key(marketers_page: Page) -> None:
    missed = {}

    for name, address in prepare().items():
        marketers_page.goto(address)
        marketers_page.wait_for_load_state("load")
        marketers_page.evaluate(MARK)
        left = []
        for _ in range(0, MOST_STOPS, STOPS_AT_ONCE):
            for _ in range(STOPS_AT_ONCE):
                marketers_page.keyboard.press("Tab")
            if not (left := marketers_page.evaluate(UNREACHED, CLICKABLE)):
                break
        if left:
            missed[name] = left

    assert missed == {}


def test_it_skips_to_the_content(marketers_page: Page) -> None:
    marketers_page.goto("/admin/")

    marketers_page.keyboard.press("Tab")
    marketers_page.keyboard.press("Enter")

    assert marketers_page.evaluate("document.activeElement.id") == "main"


def test_it_opens_the_account_menu_by_keyboard(marketers_page: Page) -> None:
    marketers_page.goto("/admin/")
    button = marketers_page.locator("button[aria-controls=user-links]")

    button.focus()
    marketers_page.keyboard.press("Enter")

    assert button.get_attribute("aria-expanded") == "true"
    marketers_page.get_by_role("button", name="Log out").wait_for()
