"""Whose it is: each sign leads to its message, in the order in which they are trusted."""

import pytest

from bounces.parsing import parse
from bounces.whose import find
from deliveries.models import Message
from tests.bounces import sent

pytestmark = pytest.mark.django_db

NOTHING = b"Subject: News\n\nText\n"


@pytest.fixture
def message() -> Message:
    """One of several that have left."""
    return sent.messages(sent.delivered(3))[1]


def found(raw: bytes, envelope_to: str = "") -> list[int]:
    return [message.pk for message in find(parse(raw), envelope_to)]


def nested(raw: bytes, depth: int) -> bytes:
    """The mail inside forwarded mails."""
    for level in range(depth):
        raw = (
            (
                f"From: gate{level}@example.net\nTo: us@example.com\nSubject: Fwd: Undelivered\nMIME-Version: 1.0\n"
                f'Content-Type: multipart/mixed; boundary="=n{level}"\n\n'
                f"--=n{level}\nContent-Type: text/plain\n\nSee below.\n"
                f"--=n{level}\nContent-Type: message/rfc822\n\n"
            ).encode()
            + raw
            + f"\n--=n{level}--\n".encode()
        )
    return raw


def test_by_the_envelope_it_came_to(message: Message) -> None:
    raw = sent.bounce(message, to="us@example.com", original=NOTHING)

    assert found(raw, sent.return_path(message)) == [message.pk]


@pytest.mark.parametrize("name", ["Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"])
def test_by_the_return_path_in_a_header_of_the_mailbox(message: Message, name: str) -> None:
    raw = f"{name}: {sent.return_path(message)}\n".encode() + sent.bounce(message, to="us@x.example", original=NOTHING)

    assert found(raw) == [message.pk]


def test_by_the_return_path_in_capitals_and_with_a_gateways_mark(message: Message) -> None:
    local, _, domain = sent.return_path(message).rpartition("@")

    raw = sent.bounce(message, to=f"prvs=0123456789={local.upper()}@{domain}", original=NOTHING)

    assert found(raw) == [message.pk]


def test_by_the_envelope_identifier(message: Message) -> None:
    fields = f"Original-Envelope-Id: {sent.envelope_id(message)}"

    assert found(sent.bounce(message, to="us@example.com", fields=fields, original=NOTHING)) == [message.pk]


def test_by_the_message_id_among_the_messages_to_the_address(message: Message) -> None:
    original = f"Message-ID: {sent.header(message)['Message-ID']}\nSubject: News\n\nText\n".encode()

    assert found(sent.bounce(message, to="us@example.com", original=original)) == [message.pk]


def test_by_the_message_id_though_another_address_failed(message: Message) -> None:
    original = f"To: {message.address}\nMessage-ID: {sent.header(message)['Message-ID']}\n\nText\n".encode()

    raw = sent.bounce(message, to="us@example.com", address="private@example.net", original=original)

    assert found(raw) == [message.pk]


def test_a_message_id_of_another_message_leads_nowhere(message: Message) -> None:
    other = Message.objects.exclude(pk=message.pk).order_by("pk")[0]
    original = f"Message-ID: {sent.header(other)['Message-ID']}\nSubject: News\n\nText\n".encode()

    assert found(sent.bounce(message, to="us@example.com", original=original)) == []


def test_by_our_own_header(message: Message) -> None:
    original = f"List-Unsubscribe: {sent.header(message)['List-Unsubscribe']}\nSubject: News\n\nText\n".encode()

    assert found(sent.bounce(message, to="us@example.com", address="x@y.example", original=original)) == [message.pk]


@pytest.mark.parametrize("depth", [1, 3])
def test_the_message_is_found_at_any_depth(message: Message, depth: int) -> None:
    assert found(nested(sent.bounce(message, to="us@example.com"), depth)) == [message.pk]


def test_the_return_path_is_believed_before_what_is_quoted(message: Message) -> None:
    other = Message.objects.exclude(pk=message.pk).order_by("pk").select_related("content")[0]

    raw = sent.bounce(other, to="us@example.com")

    assert found(raw, sent.return_path(message)) == [message.pk]


def test_an_address_alone_proves_nothing(message: Message) -> None:
    assert found(sent.bounce(message, to="us@example.com", original=NOTHING)) == []


def test_an_address_alone_is_believed_where_the_return_path_says_nothing(settings) -> None:
    settings.RETURN_PATH = "plain"
    message = sent.messages(sent.delivered(2))[1]

    assert found(sent.bounce(message, original=NOTHING)) == [message.pk]
    assert found(sent.bounce(message, address="stranger@example.net", original=NOTHING)) == []


def test_a_mail_full_of_addresses_costs_a_bounded_number_of_queries(django_assert_max_num_queries) -> None:
    addresses = ", ".join(f"bounces+{'a' * 30}{number:02d}@example.com".replace("0", "b") for number in range(999))

    with django_assert_max_num_queries(60):
        assert found(f"To: {addresses}\nSubject: x\n\nx\n".encode()) == []
