"""The ways out."""

import pytest

from deliveries.analysis.checks import unsubscription
from tests.deliveries.analysis.checks import found

pytestmark = pytest.mark.django_db

LINK = '<a href="{{ message.unsubscribe_url }}">Leave</a>'


def test_a_missing_link_is_found_in_each_part():
    assert "HTML content has no" in found(unsubscription.html_offers_unsubscription, html="<p>Hello</p>", text="x")
    assert "text content has no" in found(unsubscription.text_offers_unsubscription, html=LINK, text="Hello")


@pytest.mark.parametrize(
    "html", [LINK, "{% include 'unsubscribe_link' %}", '<a href="https://www.site.net/unsubscribe?x=1">Leave</a>']
)
def test_a_link_of_ours_a_block_or_a_page_of_ones_own_is_enough(html: str):
    assert found(unsubscription.html_offers_unsubscription, html=html) == ""


def test_the_word_alone_is_no_link():
    assert found(unsubscription.html_offers_unsubscription, html="<p>You may unsubscribe.</p>") != ""


def test_a_text_made_from_the_html_has_its_link():
    assert found(unsubscription.text_offers_unsubscription, html=LINK) == ""


def test_one_click_needs_an_https_address(settings):
    settings.PUBLIC_URL = "http://news.site.net"
    assert "cannot offer one-click" in found(unsubscription.one_click_is_offered)

    settings.PUBLIC_URL = "https://news.site.net"
    assert found(unsubscription.one_click_is_offered) == ""


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost", "https://mailhost"])
def test_a_public_address_that_strangers_cannot_reach_is_mentioned(settings, url: str):
    settings.PUBLIC_URL = url

    assert "strangers cannot reach" in found(unsubscription.one_click_is_offered)
