"""A marketer without a mouse takes a delivery from its template to its confirmation."""

import pytest
from playwright.sync_api import Dialog, Page

from deliveries.actions.confirm import warnings_of
from deliveries.analysis.run import analyse
from deliveries.models import Delivery, DeliveryTemplate, Message
from deliveries.states import DeliveryState
from deliveries.tasks import analyse_delivery
from tests.deliveries.factories import HTML, delivery, people, route

pytestmark = pytest.mark.django_db(transaction=True)

MOST_STOPS = 120


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(MOST_STOPS):
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"The Tab key does not reach {selector}.")


def enter(page: Page, selector: str) -> None:
    """Go to a link or button and press it; wait for the page it leads to."""
    tab_to(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_it_goes_from_template_to_confirmation_by_keyboard_alone(marketers_page: Page, complaints: list[str]) -> None:
    DeliveryTemplate.objects.all().delete()
    DeliveryTemplate.objects.create(
        label="Monthly", subject="News for ", html=HTML, sender_name="News", sender_address="news@example.com"
    )
    readers = people(3)
    route()
    page = marketers_page

    enter(page, "a[href$='/delivery/create/']")
    tab_to(page, "input[name=template]")
    page.keyboard.press("Space")
    tab_to(page, "#id_label")
    page.keyboard.type("May issue")
    enter(page, "main button[type=submit]")

    tab_to(page, "#id_subject")
    page.keyboard.press("End")
    tab_to(page, "#id_subject_insert")
    page.keyboard.type("First")
    tab_to(page, "[data-insert-into=id_subject] button")
    page.keyboard.press("Enter")
    assert page.input_value("#id_subject") == "News for {{ recipient.first_name }}"

    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Shift+Tab")
    tab_to(page, "[role=tab][aria-selected=true]")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent").strip() == "Target"
    tab_to(page, f"input[name=target_lists][value='{readers.pk}']")
    page.keyboard.press("Space")
    enter(page, "button[name=_save]")

    made = Delivery.objects.get(label="May issue")
    enter(page, "form[action$='/do/analyse/'] button")
    assert analyse(made.pk) is DeliveryState.READY
    page.wait_for_selector("a[href$='/ask/confirm/']")
    enter(page, "a[href$='/ask/confirm/']")
    assert "Send 3 messages?" in page.inner_text("main")
    for warning in warnings_of(made):
        tab_to(page, f"input[name=acknowledged][value='{warning.pk}']")
        page.keyboard.press("Space")
    enter(page, "form[action$='/do/confirm/'] button")

    made.refresh_from_db()
    assert made.current_state is DeliveryState.IN_PROGRESS
    assert Message.objects.of_delivery(made.pk).count() == 3
    assert complaints == []


def test_it_goes_from_proof_to_the_end_by_keyboard_alone(marketers_page: Page, complaints: list[str]) -> None:
    made = delivery(people(3), label="May issue")
    page = marketers_page
    page.goto(f"/admin/deliveries/delivery/{made.pk}/")

    enter(page, "a[href$='/proof/']")
    tab_to(page, "#id_addresses")
    page.keyboard.press("Control+A")
    page.keyboard.type("tester@example.com")
    tab_to(page, "#id_data_of")
    page.keyboard.type("person2@example.org")
    enter(page, "main form button[type=submit]")
    proof = made.proofs.get()
    assert page.url.endswith(f"/delivery/{proof.pk}/")
    assert "tester@example.com" in page.inner_text("main")
    analyse_delivery(proof.pk)
    page.wait_for_selector("form[action$='/do/pause/']")  # the page has loaded itself again

    enter(page, f"a[href$='/delivery/{made.pk}/']")
    assert "Proof #1" in page.inner_text("main")
    enter(page, "form[action$='/do/analyse/'] button")
    assert analyse(made.pk) is DeliveryState.READY
    page.wait_for_selector("a[href$='/ask/confirm/']")
    enter(page, "a[href$='/ask/send_back/']")
    tab_to(page, "#comment")
    page.keyboard.type("Another subject, please")
    enter(page, "form[action$='/do/send_back/'] button")
    assert "Sent back for changes: Another subject, please" in page.inner_text("main")

    enter(page, "form[action$='/do/analyse/'] button")
    assert analyse(made.pk) is DeliveryState.READY
    page.wait_for_selector("a[href$='/ask/confirm/']")
    enter(page, "a[href$='/ask/confirm/']")
    for warning in warnings_of(made):
        tab_to(page, f"input[name=acknowledged][value='{warning.pk}']")
        page.keyboard.press("Space")
    enter(page, "form[action$='/do/confirm/'] button")
    enter(page, "form[action$='/do/pause/'] button")
    enter(page, "form[action$='/do/resume/'] button")
    enter(page, "a[href$='/ask/stop/']")
    enter(page, "form[action$='/do/stop/'] button")
    assert "Stopped" in page.inner_text("main")
    enter(page, "a[href*='/auditline/']")

    trail = page.inner_text("main")
    for words in ("Proof #1 of May issue: asked for", "Sent back", "Acknowledged the warning", "Delivery confirmed",
                  "Paused.", "Resumed.", "Stopped."):  # fmt: skip
        assert words in trail
    assert complaints == []


def test_it_opens_the_tab_that_holds_the_mistake(marketers_page: Page) -> None:
    made = Delivery.objects.create(label="Draft")
    page = marketers_page
    page.goto(f"/admin/deliveries/delivery/{made.pk}/change/")

    page.get_by_role("tab", name="Delivery", exact=True).click()
    page.fill("#id_part_size", "99999")
    page.get_by_role("tab", name="Content").click()
    page.locator("button[name=_save]").click()

    page.locator("#id_part_size").wait_for(state="visible")
    assert page.get_by_role("tab", selected=True).inner_text().startswith("Delivery")


def test_it_asks_before_unsaved_changes_are_left(marketers_page: Page) -> None:
    made = Delivery.objects.create(label="Draft")
    page = marketers_page
    page.goto(f"/admin/deliveries/delivery/{made.pk}/change/")
    page.on("dialog", Dialog.dismiss)

    page.locator("#id_subject").press_sequentially("Typed")
    with page.expect_event("dialog") as asked:
        page.get_by_role("link", name="Preview what is saved").click()

    assert asked.value.type == "beforeunload"
    assert page.input_value("#id_subject") == "Typed"


def test_a_list_on_a_phone_names_its_first_column(marketers_page: Page) -> None:
    DeliveryTemplate.objects.create(label="Monthly")
    page = marketers_page
    page.set_viewport_size({"width": 390, "height": 844})

    page.goto("/admin/deliveries/deliverytemplate/")

    label = page.locator("#result_list tbody tr").first.locator(":scope > *").first.get_attribute("data-label")
    assert label is not None
    assert label.lower() == "label"


def test_a_list_with_actions_names_the_box_and_the_column_after_it(marketers_page: Page) -> None:
    Delivery.objects.create(label="Draft")
    page = marketers_page
    page.set_viewport_size({"width": 390, "height": 844})

    page.goto("/admin/deliveries/delivery/")

    cells = page.locator("#result_list tbody tr").first.locator(":scope > *")
    labels = [cells.nth(place).get_attribute("data-label") for place in (0, 1)]
    assert [label and label.lower() for label in labels] == ["select record", "label"]
