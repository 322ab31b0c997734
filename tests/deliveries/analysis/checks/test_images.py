import pytest

from deliveries.analysis.checks.images import addresses_are_complete, images_inside_are_attached
from deliveries.models import Attachment, AttachmentRole
from recipients.models import AttributeDefinition
from tests.deliveries.factories import delivery, material

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def city() -> None:
    AttributeDefinition.objects.create(name="city", label="City")


def test_an_image_inside_that_is_not_attached_is_found():
    made = delivery(html='<img src="cid:logo"><img src="cid:missing"><img src="cid:{{ recipient.city }}">')
    logo = Attachment.objects.create(
        name="logo.png", content_type="image/png", role=AttachmentRole.INLINE, content_id="logo", data=b"x", size=1
    )
    made.attachments.add(logo)

    (sentence,) = images_inside_are_attached(material(made))

    assert "“missing”" in sentence
    assert "logo" not in sentence


@pytest.mark.parametrize("url", ["/rel", "page.html", "www.example.com", "//cdn.example.com/x.png", "http//broken"])
def test_an_address_that_is_not_complete_is_found(url: str):
    (sentence,) = addresses_are_complete(material(delivery(html=f'<a href="{url}">x</a>')))

    assert f"“{url}”" in sentence


def test_complete_and_personalized_addresses_and_anchors_are_fine():
    made = delivery(
        html='<a href="https://example.com/{{ recipient.city }}">a</a><a href="mailto:a@example.com">b</a>'
        '<a href="#top">c</a><a href="{{ message.mirror_url }}">d</a><img src="data:image/png;base64,AA==">'
        "{# <a href='/old'> #}"
    )

    assert list(addresses_are_complete(material(made))) == []


def test_it_names_a_few_of_many():
    (sentence,) = addresses_are_complete(
        material(delivery(html="".join(f'<a href="/{number}">x</a>' for number in range(9))))
    )

    assert "and 4 more" in sentence
