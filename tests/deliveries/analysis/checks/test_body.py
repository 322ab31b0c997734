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
