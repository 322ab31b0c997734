"""The builder of saved queries in a browser."""

import pytest
from playwright.sync_api import Page, expect

from tests.deliveries.factories import people

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_blames_nobody_before_anything_is_typed(marketers_page: Page, complaints: list[str]) -> None:
    people(3)
    page = marketers_page
    page.goto("/admin/recipients/savedquery/add/")
    status = page.locator("[data-query-count]")

    expect(status).to_have_text("Fill in every condition to see how many people it finds.")
    expect(status).not_to_have_class("c-query-count c-error")

    page.get_by_label("E-mail address: text").fill("person1@example.org")
    expect(status).to_have_text("1 person found")

    page.get_by_label("Field").select_option("mail_format")
    expect(status).to_have_text("3 people found")

    page.get_by_label("Field").select_option("created_at")
    page.get_by_label("Question").select_option("past_days")
    expect(status).to_have_text("Fill in every condition to see how many people it finds.")
    page.locator("input[type=number]").fill("-5")
    expect(status).to_have_text("Added at: Write a whole number of days from 1 to 36,500.")
    expect(status).to_have_class("c-query-count c-error")
    assert complaints == []
