"""The editor of additional SMTP headers in a real browser."""

import pytest
from playwright.sync_api import Page

from deliveries.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_adds_a_usual_header_with_one_click_and_judges_the_lines_while_one_types(
    marketers_page: Page, complaints: list[str]
) -> None:
    made = Delivery.objects.create(label="Draft", smtp_headers="X-First: 1")
    page = marketers_page
    page.goto(f"/admin/deliveries/delivery/{made.pk}/change/")
    page.get_by_role("tab", name="SMTP").click()
    script = page.locator("#id_smtp_headers")

    page.get_by_role("group", name="Add one of the usual headers").get_by_role("button", name="Precedence").click()

    assert script.input_value() == "X-First: 1\nPrecedence: bulk"
    assert page.evaluate("document.activeElement.id") == "id_smtp_headers"

    page.keyboard.type("\nX Second: 2\nDate: now")

    findings = page.locator("[data-check-headers] li")
    findings.nth(1).wait_for()
    assert [line.split(":")[0] for line in findings.all_inner_texts()] == ["Line 3", "Line 4"]
    assert script.get_attribute("aria-invalid") == "true"
    assert complaints == []
