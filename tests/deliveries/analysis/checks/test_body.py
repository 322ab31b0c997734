"""The two parts."""

import pytest

from deliveries.analysis.checks import body
from tests.deliveries.analysis.checks import found

pytestmark = pytest.mark.django_db


def test_a_text_that_nobody_wrote_is_mentioned():
    assert "made from the HTML" in found(body.text_is_written)
    assert found(body.text_is_written, text="Hello") == ""


def test_html_in_the_text_is_found():
    assert "“<p class='x'>”" in found(body.text_is_no_html, text="<p class='x'>Hello</p>")


@pytest.mark.parametrize("text", ["Hello", "a < b > c", "<https://www.site.net/>", "<news@example.com>"])
def test_text_without_tags_is_fine(text: str):
    assert found(body.text_is_no_html, text=text) == ""


def test_headers_that_are_not_tidy_are_mentioned_with_their_line():
    assert "line 2" in found(body.headers_are_tidy, smtp_headers="X-A: 1\n\nX-B: 2")
    assert found(body.headers_are_tidy, smtp_headers="X-A: 1\nX-B: 2") == ""


LONG = (
    "Seven rabbits jumped over purple hedges while clever foxes quietly watched behind golden bushes yesterday evening"
)


def test_a_text_that_says_something_else_than_the_html_is_found():
    said = found(body.text_says_the_same, html=f"<p>{LONG}</p>", text="Winter sale: everything half price")

    assert "seems to say something else" in said


def test_links_that_the_text_lacks_are_found():
    html = '<a href="https://www.site.net/a?b=1&amp;c=2">A</a><a href="https://www.site.net/d">D</a>'

    said = found(body.text_says_the_same, html=html, text="A: https://www.site.net/a?b=1&c=2")

    assert "“https://www.site.net/d”" in said
    assert "site.net/a" not in said


@pytest.mark.parametrize("text", ["", f"Dear {{{{ recipient.first_name }}}}, {LONG.upper()}: https://www.site.net/"])
def test_a_text_in_step_is_fine(text: str):
    html = f'<p>{LONG}</p><a href="https://www.site.net/">Read</a><a href="{{{{ message.mirror_url }}}}">Browser</a>'

    assert found(body.text_says_the_same, html=html, text=text) == ""
