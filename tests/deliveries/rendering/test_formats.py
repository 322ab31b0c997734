"""Which parts a message has."""

from typing import Any

import pytest

from deliveries.rendering.compile import MAIL_FORMAT
from tests.deliveries.rendering.contents import compiled, parsed, renderer, row

HTML = "<p>Hello <b>{{ recipient.first_name }}</b></p>"


def parts(options: dict[str, Any], mail_format: str = "") -> list[str]:
    made = renderer(html=HTML, text="Hello {{ recipient.first_name }}", **options)
    message = parsed(made.mail(row(made, first_name="Zoë", mail_format=mail_format)).data)
    return [part.get_content_type() for part in message.walk() if not part.is_multipart()]


def test_it_sends_both_parts_and_lets_the_mail_client_choose() -> None:
    assert parts({}, "text") == ["text/plain", "text/html"]


@pytest.mark.parametrize(("wish", "expected"), [("text", ["text/plain"]), ("", ["text/plain", "text/html"])])
def test_it_follows_the_recipients_preference(wish: str, expected: list[str]) -> None:
    assert parts({"by_preference": True}, wish) == expected


def test_it_sends_text_alone_to_everybody_and_keeps_the_html_as_mirror_page() -> None:
    assert parts({"text_only": True}) == ["text/plain"]
    made = renderer(html=HTML, text="", text_only=True)
    assert made.html(row(made, first_name="Zoë")) == "<p>Hello <b>Zoë</b></p>"


def test_it_freezes_the_preference_with_the_other_values_only_where_it_counts() -> None:
    assert MAIL_FORMAT in compiled(html=HTML, by_preference=True).fields
    assert MAIL_FORMAT not in compiled(html=HTML, by_preference=False).fields
    assert MAIL_FORMAT not in compiled(html="", text="Hello", by_preference=True).fields
