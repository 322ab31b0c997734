"""The import of recipients in a real browser."""

from pathlib import Path

from playwright.sync_api import Page

from recipients.models import RecipientImport


def test_it_puts_nobody_on_a_list_that_was_not_asked_for(marketers_page: Page, tmp_path: Path, complaints: list[str]):
    file = tmp_path / "people.csv"
    file.write_text("mail,city\na@example.org,Bern\n")
    marketers_page.goto("/admin/recipients/recipientimport/add/")

    marketers_page.set_input_files("[name=file]", file)
    marketers_page.click("button:has-text('Upload')")
    marketers_page.wait_for_url("**/columns/")

    assert RecipientImport.objects.get().list_name == ""
    assert complaints == []
