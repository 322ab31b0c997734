"""The pages of recipients and the way of an import in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from recipients import denylist, quarantine
from recipients.imports.job import run
from recipients.models import AttributeKind, RecipientImport
from tests.browser.mends import mends
from tests.factories import attribute, recipient, recipient_list

RECIPIENTS = "/admin/recipients/"


def test_it_puts_nobody_on_a_list_that_was_not_asked_for(marketers_page: Page, tmp_path: Path, complaints: list[str]):
    file = tmp_path / "people.csv"
    file.write_text("mail,city\na@example.org,Bern\n")

    upload(marketers_page, file)

    assert RecipientImport.objects.get().list_name == ""
    assert complaints == []


def upload(page: Page, file: Path) -> None:
    page.goto(f"{RECIPIENTS}recipientimport/add/")
    page.set_input_files("[name=file]", file)
    page.click("button:has-text('Upload')")
    page.wait_for_url("**/columns/")


@pytest.mark.parametrize("width", [1280, 390])
def test_it_finds_nothing_to_mend_on_the_pages_of_recipients(
    marketers_page: Page, tmp_path: Path, complaints: list[str], width: int
):
    page = marketers_page
    page.set_viewport_size({"width": width, "height": 900})
    for kind in AttributeKind:
        attribute(f"of_kind_{kind}", kind)
    page.goto(f"{RECIPIENTS}recipient/")
    found = {"empty": mends(page)}
    person = recipient(on=recipient_list())
    denylist.deny(person, source="phone")
    quarantine.add("full@example.org", reason="Mailbox full")
    file = tmp_path / "people.csv"
    file.write_text("mail,city\na@example.org,Bern\nnonsense,Bern\n")

    for name in (
        "recipient/", f"recipient/{person.pk}/change/", "recipientlist/", "quarantine/", "denylist/",
        "attributedefinition/", "recipientimport/add/",
    ):  # fmt: skip
        page.goto(RECIPIENTS + name)
        found[name] = mends(page)
    upload(page, file)
    found["columns"] = mends(page)
    page.click("button:has-text('Import')")
    page.wait_for_url("**/change/")
    found["progress"] = mends(page)
    run(RecipientImport.objects.get().pk)
    page.wait_for_selector("text=New people")
    found["result"] = mends(page)

    assert {name: what for name, what in found.items() if what} == {}
    assert complaints == []
