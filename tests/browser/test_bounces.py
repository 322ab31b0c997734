"""The pages about bounces and quarantine in a real browser."""

import pytest
from playwright.sync_api import Page

from bounces.models import BounceMail, BounceRule, UnqualifiedText
from bounces.process import process
from bounces.rules import load_defaults
from recipients.models import Quarantine, Recipient
from tests.bounces import sent
from tests.browser.mends import mends

STRANGE = "550 5.0.0 <{address}>: computer says no"


@pytest.mark.parametrize("width", [1280, 390])
def test_it_finds_nothing_to_mend_on_the_pages_about_bounces(
    marketers_page: Page, complaints: list[str], width: int
) -> None:
    load_defaults()
    first, second, third = sent.messages(sent.delivered(3))
    process(sent.bounce(first), source="Mailbox “bounces”")
    process(sent.bounce(second, STRANGE), source="Mailbox “bounces”")
    process(sent.bounce(third, sent.FULL), source="Mailbox “bounces”")
    rule = BounceRule.objects.get(name="mailbox full")
    rule.pattern += "\nmy own words"
    rule.save()
    page = marketers_page
    page.set_viewport_size({"width": width, "height": 900})
    found = {}

    for name in (
        "bounces/bouncerule/", f"bounces/bouncerule/{rule.pk}/change/", "bounces/bouncerule/add/",
        "bounces/bouncerule/try/", "bounces/unqualifiedtext/",
        f"bounces/unqualifiedtext/{UnqualifiedText.objects.get().pk}/change/", "bounces/bouncemail/",
        f"bounces/bouncemail/{BounceMail.objects.order_by('pk')[0].pk}/change/", "recipients/quarantine/",
        f"recipients/quarantine/{Quarantine.objects.order_by('pk')[0].pk}/change/", "recipients/quarantine/outage/",
        "recipients/quarantine/outage/?domain=example.org&since=2020-01-01&until=2100-01-01",
        "recipients/quarantinepolicy/", f"recipients/recipient/{Recipient.objects.order_by('pk')[0].pk}/change/",
    ):  # fmt: skip
        page.goto(f"/admin/{name}")
        found[name] = mends(page)

    assert {name: what for name, what in found.items() if what} == {}
    assert complaints == []


def test_a_rule_is_tried_on_its_form_and_made_from_a_text_by_keyboard(
    marketers_page: Page, complaints: list[str]
) -> None:
    load_defaults()
    (message,) = sent.messages(sent.delivered())
    process(sent.bounce(message, STRANGE), source="Test")
    page = marketers_page

    page.goto("/admin/bounces/bouncerule/add/")
    page.fill("[name=name]", "Own")
    page.fill("[name=pattern]", "computer says no")
    page.select_option("[name=type]", "hard")
    page.select_option("[name=reason]", "1")
    page.fill("[name=try_text]", "550 Computer says no")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#tried >> text=The rule “Own” is the first")
    assert not BounceRule.objects.filter(name="Own").exists()

    page.goto(f"/admin/bounces/unqualifiedtext/{UnqualifiedText.objects.get().pk}/change/")
    page.select_option("[name=type]", "hard")
    page.select_option("[name=reason]", label="User unknown")
    page.focus("button:has-text('Make a rule')")
    page.keyboard.press("Enter")
    page.wait_for_url("**/bouncerule/*/change/")

    assert not UnqualifiedText.objects.exists()
    assert Quarantine.objects.get().status == "quarantine"
    assert complaints == []
