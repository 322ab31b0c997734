"""What messages weigh."""

import pytest

from deliveries.analysis.checks import weight
from deliveries.models import Attachment, AttachmentRole, MailFormats
from recipients.models import AttributeDefinition, Recipient
from tests.deliveries import factories
from tests.deliveries.analysis.checks import found_in_messages

pytestmark = pytest.mark.django_db


def test_html_that_is_too_long_only_with_somebodys_values_is_found():
    AttributeDefinition.objects.create(name="story", label="Story")
    target = factories.people(3)
    Recipient.objects.filter(address="person2@example.org").update(attributes={"story": "ä" * 10_000})
    made = factories.delivery(target, html="<p>{{ recipient.story }}" + "x" * (weight.CLIPPED - 10_000))

    (sentence,) = weight.html_is_shown_whole(factories.tried(made))

    assert "1 of the 3 messages" in sentence
    assert "person2@example.org (112 KB)" in sentence


@pytest.mark.parametrize(("html", "formats"), [("<p>Short</p>", MailFormats.BOTH), ("x" * 110_000, MailFormats.TEXT)])
def test_short_html_and_html_that_is_a_mirror_page_only_are_fine(html: str, formats: MailFormats):
    assert found_in_messages(weight.html_is_shown_whole, html=html, text="Hello", mail_formats=formats) == ""


def test_a_message_with_large_files_is_found():
    made = factories.delivery(factories.people(1))
    data = b"x" * 8_000_000
    made.attachments.add(
        Attachment.objects.create(
            name="film.bin", content_type="application/pdf", role=AttachmentRole.ATTACHED, data=data, size=len(data)
        )
    )

    (sentence,) = weight.messages_are_light(factories.tried(made))

    assert "weighs 10.9 MB" in sentence or "weighs 11.0 MB" in sentence


def test_a_usual_message_is_light():
    assert found_in_messages(weight.messages_are_light) == ""
