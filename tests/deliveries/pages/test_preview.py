from typing import Any

from django.test import Client
from django.urls import reverse

from deliveries.models import Attachment, AttachmentRole, Delivery
from deliveries.pages.preview import POLICY
from recipients.models import Recipient
from tests.deliveries.factories import analysed, delivery, people


def preview(client: Client, made: Delivery, **query: Any) -> str:
    response = client.get(reverse("admin:deliveries_delivery_preview", args=[made.pk]), query)
    assert response.status_code == 200
    return response.content.decode()


def frame(client: Client, made: Delivery, recipient: Recipient):
    return client.get(reverse("admin:deliveries_delivery_preview_html", args=[made.pk, recipient.pk]))


def test_it_shows_the_first_recipient_of_the_target(at_marketer: Client) -> None:
    page = preview(at_marketer, delivery(people(3)))

    assert "News for name1" in page
    assert "person1@example.org" in page


def test_it_shows_the_recipient_one_asks_for(at_marketer: Client) -> None:
    assert "News for name2" in preview(at_marketer, delivery(people(3)), address="Person2@example.org")


def test_it_shows_the_present_content_not_the_analysed_one(at_marketer: Client) -> None:
    made = analysed(delivery(people(1)))
    Delivery.objects.filter(pk=made.pk).update(subject="Changed since")

    assert "Changed since" in preview(at_marketer, made)


def test_its_links_lead_where_they_are_written_and_nobody_is_told_of_an_open(at_marketer: Client) -> None:
    made = delivery(people(1))

    html = frame(at_marketer, made, Recipient.objects.get()).content.decode()

    assert 'href="https://www.example.com/"' in html
    assert "<img" not in html


def test_it_shows_the_html_in_a_sandbox_of_its_own(at_marketer: Client) -> None:
    made = delivery(people(1), html="<html><body><script>alert(1)</script><p>Hello</p></body></html>")

    page, response = preview(at_marketer, made), frame(at_marketer, made, Recipient.objects.get())

    assert '<iframe class="c-frame c-frame-desktop" sandbox ' in page
    assert "<script>alert(1)" not in page
    assert response["Content-Security-Policy"] == POLICY
    assert "Hello" in response.content.decode()


def test_it_shows_the_images_that_travel_inside_the_message(at_marketer: Client) -> None:
    made = delivery(people(1), html='<html><body><img src="cid:logo" alt=""><img src="cid:other" alt=""></body></html>')
    made.attachments.add(
        Attachment.objects.create(
            name="logo.png",
            content_type="image/png",
            role=AttachmentRole.INLINE,
            content_id="logo",
            data=b"abc",
            size=3,
        )
    )

    html = frame(at_marketer, made, Recipient.objects.get()).content.decode()

    assert 'src="data:image/png;base64,YWJj"' in html
    assert 'src="cid:other"' in html


def test_it_lists_the_mistakes_of_the_content(at_marketer: Client) -> None:
    made = delivery(people(1), html="<p>{{ recipient.nonsense }}</p>\n<p>{% if %}</p>")

    page = preview(at_marketer, made)

    assert "The message cannot be made" in page
    assert "line" in page


def test_it_says_that_nobody_has_the_address(at_marketer: Client) -> None:
    page = preview(at_marketer, delivery(people(1)), address="<b>nobody")

    assert "Nobody has this address" in page
    assert "<b>nobody" not in page


def test_it_says_that_there_is_nobody_to_show_it_for(at_marketer: Client) -> None:
    assert "Nobody to show it for" in preview(at_marketer, delivery())


def test_it_shows_no_html_to_outsiders(at_outsider: Client) -> None:
    made = delivery(people(1))

    assert frame(at_outsider, made, Recipient.objects.get()).status_code == 403
