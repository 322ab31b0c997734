"""Images and what people have without them."""

import pytest

from deliveries.analysis.checks import images
from deliveries.models import Attachment, AttachmentRole, Delivery
from recipients.models import AttributeDefinition
from tests.deliveries.analysis.checks import found
from tests.deliveries.factories import delivery, material

pytestmark = pytest.mark.django_db


def with_image(made: Delivery, name: str = "logo", size: int = 1) -> Delivery:
    made.attachments.add(
        Attachment.objects.create(
            name=f"{name}.png",
            content_type="image/png",
            role=AttachmentRole.INLINE,
            content_id=name,
            data=b"x",
            size=size,
        )
    )
    return made


def test_an_image_inside_that_is_not_attached_is_found():
    AttributeDefinition.objects.create(name="city", label="City")
    made = delivery(html='<img src="cid:logo"><img src="cid:missing"><img src="cid:{{ recipient.city }}">')

    (sentence,) = images.images_inside_are_attached(material(with_image(made)))

    assert "“missing”" in sentence
    assert "logo" not in sentence


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("data:image/png;base64,AA==", "do not show"),
        ("https://www.site.net/a.svg?v=2", "format"),
        ("https://www.site.net/a.WEBP", "format"),
    ],
)
def test_an_image_that_mail_programs_do_not_show_is_found(source: str, sentence: str):
    assert sentence in found(images.images_are_shown, html=f'<img src="{source}" alt="x">')


def test_usual_images_are_shown():
    html = '<img src="https://www.site.net/a.png"><img src="cid:logo">'

    assert found(images.images_are_shown, html=html) == ""


def test_an_image_without_an_alt_text_is_found():
    html = '<img src="https://www.site.net/a.png"><img src="b.png" alt=""><img src="c.gif" width="1" height="1">'

    said = found(images.images_have_alt_texts, html=html)

    assert "a.png" in said
    assert "b.png" not in said
    assert "c.gif" not in said


def test_an_image_without_a_width_is_found():
    html = '<img src="a.png"><img src="b.png" width="600"><img src="c.png" style="width:100%">'

    said = found(images.images_have_sizes, html=html)

    assert "a.png" in said
    assert "b.png" not in said
    assert "c.png" not in said


def test_heavy_images_are_found_one_by_one_and_together():
    made = delivery()
    for number in range(3):
        with_image(made, f"large{number}", 400_000)

    said = " ".join(images.images_are_light(material(made)))

    assert "large0.png (400 kB)" in said
    assert "1.2 MB together" in said


def test_light_images_are_fine():
    assert list(images.images_are_light(material(with_image(delivery(), size=9_000)))) == []


def test_a_content_that_is_one_image_is_found():
    html = "<style>p { color: red }</style><!-- many words in here --><p>Look</p><img src='a.png' alt='News'>"

    assert "has 1 words" in found(images.content_has_words, html=html)


def test_images_between_words_are_fine():
    assert found(images.content_has_words, html=f"<p>{'word ' * 30}</p><img src='a.png'>") == ""
