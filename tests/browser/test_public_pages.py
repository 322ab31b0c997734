"""The recipients' own pages in a real browser: found good by axe-core, worked by keyboard, on a phone too."""

import pytest
from playwright.sync_api import Page

from campaign.lib.signing import UNSUBSCRIBE, token
from deliveries.actions.subscribe import link_token
from deliveries.models import Message
from recipients.models import Denylist, Recipient, Service, Subscription, SubscriptionRequest
from tests.browser.mends import mends
from tests.deliveries.factories import confirmed, delivery, people

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def way_out() -> str:
    """Where a message for a service leads."""
    target = people(1)
    Recipient.objects.update(language="de")
    services = [
        Service.objects.create(name="Wochenbrief", description="Jeden Freitag das Neueste"),
        Service.objects.create(name="Veranstaltungen in Ihrer Nähe, mit einem sehr langen Namen, der umbricht"),
    ]
    for service in services:
        Subscription.objects.create(service=service, recipient=Recipient.objects.get())
    made = confirmed(delivery(target, consent_service=services[0]))
    message = Message.objects.of_delivery(made.pk).select_related("content").get()
    return f"/u/{token(UNSUBSCRIBE, message.content_id, message.pk, bytes(message.content.key))}"


@pytest.mark.parametrize("width", [1280, 390])
def test_it_leads_out_and_back_by_keyboard(page: Page, complaints: list[str], way_out: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    found: list[str] = []
    page.goto(way_out)
    assert page.locator("html").get_attribute("lang") == "de"
    found += mends(page)

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("„Wochenbrief“ wird nicht mehr").wait_for()
    found += mends(page)
    page.get_by_role("button", name="Das war ein Versehen").click()
    page.get_by_role("heading", name="Sie sind wieder angemeldet").wait_for()
    found += mends(page)

    page.get_by_role("link", name="Auswählen, welche E-Mails Sie erhalten").click()
    found += mends(page)
    page.get_by_label("Veranstaltungen in Ihrer Nähe").press("Space")
    page.get_by_role("button", name="Speichern").click()
    page.get_by_text("Ihre Auswahl ist gespeichert.").wait_for()
    found += mends(page)
    assert page.get_by_label("Wochenbrief").is_checked()
    assert not page.get_by_label("Veranstaltungen in Ihrer Nähe").is_checked()

    page.get_by_role("button", name="Gar keine E-Mails mehr erhalten").click()
    page.get_by_role("status").get_by_text("werden keine E-Mails mehr gesendet").wait_for()
    found += mends(page)

    assert found == []
    assert complaints == []
    assert Denylist.objects.exists()


def test_it_leads_in_by_a_form_and_a_link(page: Page, complaints: list[str]) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    service = Service.objects.create(
        name="Weekly", description="Every Friday", has_form=True, sender_address="news@example.com"
    )
    found: list[str] = []
    page.goto(f"/s/{service.pk}?lang=fr")
    found += mends(page)

    page.get_by_label("Votre adresse e-mail").fill("nonsense")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    found += mends(page)
    page.get_by_label("Votre adresse e-mail").fill("ada@example.org")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Consultez votre messagerie").wait_for()
    found += mends(page)
    page.goto(f"/s/confirm/{link_token(SubscriptionRequest.objects.get())}")
    found += mends(page)
    page.get_by_role("button", name="Oui, je m’abonne").click()
    page.get_by_role("heading", name="Vous êtes abonné").wait_for()
    found += mends(page)

    assert found == []
    assert [each for each in complaints if "422" not in each] == []  # the form told what was wrong
    assert Subscription.objects.get().recipient.address == "ada@example.org"
