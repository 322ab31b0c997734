"""Unsubscribing: by a person, by a mail program, and by machines that only look."""

import pytest
from django.test import Client

from campaign.lib.signing import MIRROR, UNSUBSCRIBE, token
from deliveries.models import Message
from recipients.models import Denylist, Recipient
from tests.deliveries import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def message() -> Message:
    delivery = factories.confirmed(factories.delivery(factories.people(1)))
    return Message.objects.of_delivery(delivery.pk).select_related("content", "recipient").get()


def address(message: Message, purpose: bytes = UNSUBSCRIBE) -> str:
    return f"/u/{token(purpose, message.content_id, message.pk, bytes(message.content.key))}"


def test_it_changes_nothing_when_a_scanner_looks(client: Client, message: Message):
    assert client.get(address(message)).status_code == 200
    assert client.head(address(message)).status_code == 200

    assert not Denylist.objects.exists()


def test_it_puts_the_person_on_the_denylist_once(message: Message):
    client = Client(enforce_csrf_checks=True)

    client.post(address(message), {"List-Unsubscribe": "One-Click"})
    response = client.post(address(message), {"List-Unsubscribe": "One-Click"})

    assert response.status_code == 200
    assert "You are unsubscribed" in response.content.decode()
    entry = Denylist.objects.get()
    assert entry.recipient_id == message.recipient_id
    assert f"delivery {message.delivery_id}" in entry.source


def test_it_has_one_button_and_no_script(client: Client, message: Message):
    page = client.get(address(message)).content.decode()

    assert page.count("<button") == 1
    assert "<script" not in page


def test_it_knows_no_other_identifier(client: Client, message: Message):
    assert client.get(address(message, MIRROR)).status_code == 404
    assert client.post("/u/nonsense").status_code == 404
    assert not Denylist.objects.exists()


def test_it_unsubscribes_nobody_else_when_the_profile_is_gone(client: Client, message: Message):
    Recipient.objects.all().delete()

    assert client.post(address(message)).status_code == 200
    assert not Denylist.objects.exists()
