"""The way out: for a person, for a mail program, and for machines that only look."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from campaign.lib.signing import MIRROR, UNSUBSCRIBE, token
from deliveries.models import Message
from recipients.denylist import deny
from recipients.models import ConsentEvent, Denylist, Recipient, Service, Subscription
from tests.deliveries import factories

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def message() -> Message:
    return to_one_person()


def to_one_person(service: Service | None = None, **values: object) -> Message:
    """A message of a confirmed delivery, for a service that the person has where one is given."""
    target = factories.people(1)
    if service is not None:
        Subscription.objects.create(service=service, recipient=Recipient.objects.get())
    delivery = factories.confirmed(factories.delivery(target, consent_service=service, **values))
    return Message.objects.of_delivery(delivery.pk).select_related("content", "recipient").get()


def address(message: Message, purpose: bytes = UNSUBSCRIBE, then: str = "") -> str:
    return f"/u/{token(purpose, message.content_id, message.pk, bytes(message.content.key))}{then}"


def weekly(**values: object) -> Service:
    return Service.objects.create(name="Weekly & more", **values)


def test_it_changes_nothing_when_a_scanner_looks(client: Client):
    message = to_one_person(weekly())

    for then in ("", "/preferences", "?all=1", "?List-Unsubscribe=One-Click"):
        assert client.get(address(message, then=then)).status_code == 200
        assert client.head(address(message, then=then)).status_code == 200
    assert client.get(address(message, then="/undo")).status_code == 405

    assert not Denylist.objects.exists()
    assert not ConsentEvent.objects.exists()


def test_it_takes_one_click_of_a_mail_program_however_often_it_comes(message: Message):
    client = Client(enforce_csrf_checks=True)

    client.post(address(message), ONE_CLICK)
    response = client.post(address(message), ONE_CLICK)

    assert response.status_code == 200
    assert "You are unsubscribed" in response.content.decode()
    assert (
        Denylist.objects.get().source == f"one-click unsubscription of a mail program, delivery {message.delivery_id}"
    )
    assert ConsentEvent.objects.count() == 1


def test_it_reads_no_content_whose_files_may_have_megabytes(client: Client, message: Message):
    with CaptureQueriesContext(connection) as queries:
        client.post(address(message), ONE_CLICK)

    whole = re.compile(r'"compiled"(?:,| FROM| AS)')
    assert queries.captured_queries
    assert not [query["sql"] for query in queries if whole.search(query["sql"])]


def test_it_ends_the_service_that_the_delivery_was_for_and_offers_the_rest(client: Client):
    message = to_one_person(weekly())
    page = client.get(address(message)).content.decode()
    assert "no more mails of “Weekly &amp; more”" in page
    assert "Receive no mails at all" in page

    done = client.post(address(message), {"page": "1"}).content.decode()

    assert "No more mails of “Weekly &amp; more” will be sent" in done
    assert "Receive no mails at all" in done
    assert Subscription.objects.get().withdrawn_at is not None
    assert ConsentEvent.objects.get().source.startswith("unsubscription page")
    assert not Denylist.objects.exists()

    client.post(address(message), {"page": "1", "all": "1"})
    assert Denylist.objects.exists()


def test_it_has_one_button_and_no_script(client: Client, message: Message):
    page = client.get(address(message)).content.decode()

    assert page.count("<button") == 1
    assert "<script" not in page


def test_it_shows_nobody_a_button_who_is_out_already(client: Client, message: Message):
    deny(Recipient.objects.get(), source="phone")

    page = client.get(address(message)).content.decode()

    assert "You are unsubscribed" in page
    assert "by mistake" not in page  # it was said elsewhere


def test_it_takes_a_mistake_back_at_once(client: Client, message: Message):
    done = client.post(address(message), {"page": "1"}).content.decode()
    assert "I did this by mistake" in done

    page = client.post(address(message, then="/undo")).content.decode()

    assert "You are subscribed again" in page
    assert not Denylist.objects.exists()
    assert "cannot be taken back" in client.post(address(message, then="/undo")).content.decode()


def test_it_protects_what_the_signed_one_click_address_does_not_do(message: Message):
    service = weekly()
    Subscription.objects.create(service=service, recipient=Recipient.objects.get())
    client = Client(enforce_csrf_checks=True)
    done = client.post(address(message), {"page": "1"})

    assert client.post(address(message, then="/undo")).status_code == 403
    assert client.post(address(message, then="/preferences"), {"service": service.pk}).status_code == 403
    assert Denylist.objects.exists()

    shown = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', done.content.decode())
    assert shown is not None
    assert client.post(address(message, then="/undo"), {"csrfmiddlewaretoken": shown[1]}).status_code == 200
    assert not Denylist.objects.exists()


def test_it_saves_what_the_person_chooses(client: Client):
    service = weekly(description="Every Friday")
    message = to_one_person(service)
    page = client.get(address(message, then="/preferences")).content.decode()
    assert "checked" in page
    assert "Every Friday" in page

    saved = client.post(address(message, then="/preferences"), {}).content.decode()
    assert "Your choice is saved" in saved
    assert "checked" not in saved
    assert Subscription.objects.get().withdrawn_at is not None

    client.post(address(message, then="/preferences"), {"service": [service.pk, "x", "-1", "9" * 30]})
    assert Subscription.objects.get().withdrawn_at is None


@pytest.mark.parametrize(
    ("own", "content", "browser", "expected"),
    [
        ("de-CH", "fr", "es", ("de", "Abmelden")),
        ("", "fr", "es", ("fr", "Se désabonner")),
        ("pt", "", "nl, es;q=0.8, it;q=0.9", ("it", "Annulla l’iscrizione")),
        ("", "", "es-MX", ("es", "Darse de baja")),
        ("xx", "", "", ("en", "Unsubscribe")),
    ],
)
def test_it_speaks_the_language_of_person_message_or_browser(client: Client, own, content, browser, expected):
    message = to_one_person(language=content)
    Recipient.objects.update(language=own)

    page = client.get(address(message), headers={"accept-language": browser}).content.decode()

    assert f'<html lang="{expected[0]}">' in page
    assert f"<h1>{expected[1]}</h1>" in page


def test_it_lets_nobody_keep_or_index_the_page(client: Client, message: Message):
    response = client.get(address(message))

    assert response["Cache-Control"] == "no-store"
    assert response["X-Robots-Tag"] == "noindex"
    assert response["Referrer-Policy"] == "same-origin"


def test_it_escapes_what_people_are_called(client: Client):
    message = to_one_person(Service.objects.create(name="<b>Bold</b>"))
    Message.objects.filter(pk=message.pk).update(address="<i>@example.org")

    page = client.get(address(message)).content.decode()

    assert "<b>Bold" not in page
    assert "<i>" not in page


def test_it_knows_no_other_identifier(client: Client, message: Message):
    assert client.get(address(message, MIRROR)).status_code == 404
    assert client.post("/u/nonsense").status_code == 404
    assert client.post("/u/nonsense/undo").status_code == 404
    assert not Denylist.objects.exists()


def test_it_says_politely_that_a_message_is_too_old(client: Client, message: Message):
    where = address(message)
    Message.objects.all().delete()

    response = client.get(where)

    assert response.status_code == 410
    assert "too old" in response.content.decode()


def test_it_unsubscribes_nobody_by_a_proof(client: Client, message: Message):
    Message.objects.update(recipient=None)

    response = client.post(address(message), ONE_CLICK)

    assert "This is a test message" in response.content.decode()
    assert not Denylist.objects.exists()


def test_it_unsubscribes_nobody_else_when_the_profile_is_gone(client: Client, message: Message):
    Recipient.objects.all().delete()

    assert client.post(address(message), ONE_CLICK).status_code == 200
    assert not Denylist.objects.exists()
