"""The mirror page as strangers meet it."""

import pytest
from django.test import Client

from campaign.lib.clock import now
from campaign.lib.signing import MIRROR, UNSUBSCRIBE, token
from deliveries.actions.extend_resources import extend_resources
from deliveries.models import AttachmentRole, Content, Delivery, Message, MessageValues
from deliveries.states import MessageState
from recipients.models import Recipient
from tests.deliveries import factories
from tests.deliveries.conftest import fresh_process, worker
from tests.smtp_sink import smtp_sink

__all__ = ["fresh_process", "smtp_sink", "worker"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(worker, smtp_sink) -> Message:
    """The first message of a delivery that was sent."""
    factories.route(smtp_sink.port)
    delivery = factories.send(worker, factories.confirmed(factories.delivery(factories.people(2))))
    return Message.objects.of_delivery(delivery.pk).select_related("content").order_by("pk")[0]


def address(message: Message, purpose: bytes = MIRROR) -> str:
    return f"/m/{token(purpose, message.content_id, message.pk, bytes(message.content.key))}"


def test_it_shows_the_message_to_whoever_has_its_identifier(client: Client, sent: Message):
    response = client.get(address(sent))

    assert response.status_code == 200
    assert "Hello Name1 &amp; welcome" in response.content.decode()


def test_it_is_sandboxed_hidden_from_search_engines_and_sets_no_cookie(client: Client, sent: Message):
    response = client.get(address(sent))

    policy = response["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "noindex" in response["X-Robots-Tag"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"].startswith("private")
    assert not response.cookies


def test_it_needs_no_more_than_two_queries(client: Client, sent: Message, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):
        client.get(address(sent))


def test_it_stays_the_same_after_the_profile_the_delivery_and_the_blocks_changed(client: Client, sent: Message):
    before = client.get(address(sent)).content
    from deliveries.models import Delivery, PersonalizationBlock
    from recipients.models import Recipient

    Recipient.objects.update(first_name="Other")
    Delivery.objects.update(html="Other", label="Other")
    PersonalizationBlock.objects.all().delete()

    assert client.get(address(sent)).content == before


@pytest.mark.parametrize("path", ["/m/", "/m/x", "/m/" + "A" * 38, "/m/" + "A" * 400, "/m/%00", "/m/é"])
def test_it_knows_nothing_else(client: Client, path: str):
    assert client.get(path).status_code == 404


def test_it_takes_no_identifier_made_for_another_purpose_or_message(client: Client, sent: Message):
    other = Message.objects.get(pk=sent.pk + 1)
    forged = token(MIRROR, sent.content_id, other.pk, b"guess" * 6)

    assert client.get(address(sent, UNSUBSCRIBE)).status_code == 404
    assert client.get(f"/m/{forged}").status_code == 404


def test_it_shows_nothing_of_a_delivery_that_was_not_confirmed(client: Client):
    delivery = factories.analysed(factories.delivery(factories.people(1)))
    message = Message.objects.of_delivery(delivery.pk).select_related("content").get()

    assert client.get(address(message)).status_code == 404


def test_it_takes_only_reading(client: Client, sent: Message):
    assert client.post(address(sent)).status_code == 405
    assert client.head(address(sent)).status_code == 200


def test_it_is_gone_with_its_content(client: Client, sent: Message):
    path = address(sent)
    Content.objects.all().delete()

    assert client.get(path).status_code == 404


def test_it_knows_nothing_of_a_message_that_could_not_be_made(client: Client, worker, smtp_sink):
    factories.route(smtp_sink.port)
    html = "{% include 'mirror_link' %}<p>{{ (recipient.first_name|length > 4) and 1 or (1/0) }}</p>"
    delivery = factories.send(worker, factories.confirmed(factories.delivery(factories.people(1), html=html)))
    Recipient.objects.update(first_name="Al")
    delivery = factories.send(worker, factories.confirmed(factories.delivery(delivery.target_lists.get(), html=html)))
    failed = Message.objects.of_delivery(delivery.pk).select_related("content").get()

    assert failed.state == MessageState.FAILED
    assert client.get(address(failed)).status_code == 404


def test_it_says_politely_that_a_page_has_ended(client: Client, sent: Message):
    Delivery.objects.filter(pk=sent.delivery_id).update(resources_until=now())

    page = client.get(address(sent))

    assert page.status_code == 410
    assert "This page is no longer available" in page.content.decode()
    assert "private" in page["Cache-Control"]
    assert not page.cookies
    assert client.head(address(sent)).status_code == 410


def test_it_says_the_same_once_the_personal_values_are_deleted(client: Client, sent: Message):
    MessageValues.objects.all().delete()

    assert client.get(address(sent)).status_code == 410


def test_it_shows_the_page_again_once_it_is_kept_longer(client: Client, sent: Message):
    Delivery.objects.filter(pk=sent.delivery_id).update(resources_until=now())
    extend_resources(Delivery.objects.get(pk=sent.delivery_id))

    assert client.get(address(sent)).status_code == 200


def sent_one(worker, smtp_sink, **values: object) -> Message:
    """The only message of a delivery that was sent."""
    factories.route(smtp_sink.port)
    delivery = factories.send(worker, factories.confirmed(factories.delivery(factories.people(1), **values)))
    return Message.objects.of_delivery(delivery.pk).select_related("content").get()


@pytest.mark.parametrize(
    ("mode", "html", "status"),
    [
        ("default", "<p>Hello</p>", 404),
        ("default", "<p>Hello</p>{% include 'mirror_link' %}", 200),
        ("force", "<p>Hello</p>", 200),
        ("identifier", "<p>Hello</p>", 200),
        ("none", "<p>Hello</p>", 404),
        ("none", "<p>Hello</p>{% include 'mirror_link' %}", 404),
    ],
)
def test_it_follows_the_mode(client: Client, worker, smtp_sink, mode: str, html: str, status: int):
    message = sent_one(worker, smtp_sink, html=html, mirror_mode=mode)

    assert client.get(address(message)).status_code == status


def test_it_is_the_html_of_a_mail_that_went_as_text_alone(client: Client, worker, smtp_sink):
    message = sent_one(worker, smtp_sink, mail_formats="text", mirror_mode="force")

    assert b"<p>Hello" not in smtp_sink.messages[0].data
    assert "<p>Hello Name1 &amp; welcome" in client.get(address(message)).content.decode()


LOGO = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
DRAWING = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@pytest.fixture
def illustrated(worker, smtp_sink) -> Message:
    """A message with a picture, a drawing and a file inside."""
    factories.route(smtp_sink.port)
    html = "<p>cid:logo</p><img src=\"cid:logo\"><img src='cid:drawing'>"
    made = factories.delivery(factories.people(1), html=html, mirror_mode="force")
    for name, kind, data in (
        ("logo", "image/png", LOGO), ("drawing", "image/svg+xml", DRAWING), ("terms", "text/html", DRAWING)
    ):  # fmt: skip
        role = AttachmentRole.INLINE if kind.startswith("image/") else AttachmentRole.ATTACHED
        identifier = name if role is AttachmentRole.INLINE else ""
        made.attachments.create(
            name=name, content_type=kind, role=role, content_id=identifier, data=data, size=len(data)
        )
    delivery = factories.send(worker, factories.confirmed(made))
    return Message.objects.of_delivery(delivery.pk).select_related("content").get()


def test_it_shows_the_images_that_travel_inside_the_mail(client: Client, illustrated: Message):
    path = address(illustrated)

    page = client.get(path).content.decode()

    assert page.startswith(f"<p>cid:logo</p><img src=\"{path}/logo\"><img src='{path}/drawing'>")
    image = client.get(f"{path}/logo")
    assert (image.content, image["Content-Type"]) == (LOGO, "image/png")
    assert client.post(f"{path}/logo").status_code == 405


def test_nothing_in_an_image_runs_when_it_is_opened_by_itself(client: Client, illustrated: Message):
    image = client.get(f"{address(illustrated)}/drawing")

    assert image["Content-Type"] == "image/svg+xml"
    assert "sandbox" in image["Content-Security-Policy"]
    assert "default-src 'none'" in image["Content-Security-Policy"]
    assert image["X-Content-Type-Options"] == "nosniff"


def test_it_gives_away_no_image_of_what_has_no_page(client: Client, illustrated: Message):
    path = address(illustrated)

    assert client.get(f"{path}/terms").status_code == 404
    assert client.get(f"{path}/nothing").status_code == 404
    assert client.get(f"{address(illustrated, UNSUBSCRIBE)}/logo").status_code == 404
    Delivery.objects.update(resources_until=now())
    assert client.get(f"{path}/logo").status_code == 404


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)><iframe src='/admin/'></iframe><base href='https://evil.example/'>"
    "<form action='https://evil.example/'><input name=a></form><meta http-equiv=refresh content='0;url=https://evil.example'>"
    "<object data='/admin/'></object><a href='javascript:alert(1)'>x</a><p>{{ recipient.first_name }}</p>"
)


def test_whatever_an_author_wrote_nothing_of_it_runs_and_values_are_text(client: Client, worker, smtp_sink):
    factories.route(smtp_sink.port)
    target = factories.people(1)
    Recipient.objects.update(first_name="<script>alert(2)</script>")
    made = factories.delivery(target, html=HOSTILE, mirror_mode="force")
    delivery = factories.send(worker, factories.confirmed(made))
    message = Message.objects.of_delivery(delivery.pk).select_related("content").get()

    page = client.get(address(message))

    assert "<script>alert(2)" not in page.content.decode()
    policy = {name: words for name, *words in (part.split() for part in page["Content-Security-Policy"].split(";"))}
    assert policy["default-src"] == ["'none'"]  # no script, frame, object, or connection
    assert not {"script-src", "frame-src", "object-src", "connect-src"} & set(policy)
    assert policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == ["'none'"]
    assert not {"allow-scripts", "allow-same-origin", "allow-forms"} & set(policy["sandbox"])


def test_no_browser_keeps_a_page_that_has_ended(client: Client, sent: Message):
    assert client.get(address(sent))["Cache-Control"] == "private, no-cache"
