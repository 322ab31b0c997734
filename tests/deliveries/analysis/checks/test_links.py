"""Where links lead."""

import pytest

from deliveries.analysis.checks import links
from recipients.models import AttributeDefinition
from tests.deliveries.analysis.checks import found

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def city() -> None:
    AttributeDefinition.objects.create(name="city", label="City")


def linked(url: str, label: str = "Read") -> str:
    return f'<a href="{url}">{label}</a>'


@pytest.mark.parametrize("url", ["/rel", "page.html", "www.example.com", "//cdn.example.com/x.png", "http//broken"])
def test_an_address_that_is_not_complete_is_found(url: str):
    assert f"“{url}”" in found(links.addresses_are_complete, html=linked(url))


def test_complete_and_personalized_addresses_and_anchors_are_complete():
    html = (
        '<a href="https://example.com/{{ recipient.city }}">a</a><a href="mailto:a@example.com">b</a>'
        '<a href="#top">c</a><a href="{{ message.mirror_url }}">d</a><img src="data:image/png;base64,AA==">'
        "{# <a href='/old'> #}"
    )

    assert found(links.addresses_are_complete, html=html) == ""


def test_it_names_a_few_of_many():
    html = "".join(linked(f"/{number}") for number in range(9))

    assert "and 4 more" in found(links.addresses_are_complete, html=html)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("javascript:alert(1)", "do not open"),
        ("ftp://files.shop.example.com/a", "do not open"),
        ("https:///page", "name no host"),
        ("https://shop.site.net/a b", "a blank"),
        ("https://bank.example.com@evil.net/", "name a user"),
        ("http://localhost:8000/x", "cannot reach"),
        ("https://192.168.1.2/x", "cannot reach"),
        ("https://[::1]/x", "cannot reach"),
        ("https://intranet.local/", "cannot reach"),
        ("https://bit.ly/abc", "shortened"),
    ],
)
def test_an_address_that_is_not_well_formed_is_found(url: str, sentence: str):
    assert sentence in found(links.addresses_are_well_formed, html=linked(url))


def test_usual_addresses_are_well_formed():
    html = linked("https://www.site.net/{{ recipient.city|urlencode }}?a=1&amp;b=2#c") + linked("tel:+491234")

    assert found(links.addresses_are_well_formed, html=html) == ""


def test_a_link_that_is_not_encrypted_is_found():
    assert "http://www.site.net" in found(links.links_are_encrypted, html=linked("http://www.site.net"))
    assert found(links.links_are_encrypted, html=linked("https://www.site.net")) == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://{{ recipient.city }}.site.net/",
        "https://www.{{ recipient.city }}/",
        "{{ recipient.city }}",
        "{{ recipient.city }}/page",
        "http://{{ recipient.city }}",
        "{% if recipient.city %}https://{{ recipient.city }}/{% endif %}",
    ],
)
def test_a_personalized_host_is_found(url: str):
    assert "host of these links is personalized" in found(links.hosts_are_fixed, html=linked(url))


@pytest.mark.parametrize(
    "url",
    [
        "https://www.site.net/{{ recipient.city }}",
        "https://www.site.net?city={{ recipient.city }}",
        "{{ message.mirror_url }}",
        "{{message.unsubscribe_url}}",
        "{% if recipient.city %}https://www.site.net/c{% else %}https://www.site.net/{% endif %}",
    ],
)
def test_a_fixed_host_is_fine(url: str):
    assert found(links.hosts_are_fixed, html=linked(url)) == ""


def test_a_link_without_words_is_found():
    bare = linked("https://www.site.net/a", "") + linked("https://www.site.net/b", '<img src="x.png" alt="">')

    said = found(links.links_are_labelled, html=bare)

    assert "/a" in said
    assert "/b" in said


def test_a_link_with_words_an_alt_text_or_a_field_is_labelled():
    html = linked("#1", "Read") + linked("#2", '<img src="x.png" alt="News">') + linked("#3", "{{ recipient.city }}")

    assert found(links.links_are_labelled, html=html) == ""


def test_a_label_that_names_another_site_is_found():
    assert "www.bank.com leads to evil.net" in found(
        links.links_lead_where_they_say, html=linked("https://evil.net/x", "www.bank.com")
    )


@pytest.mark.parametrize("label", ["www.site.net", "https://site.net/page", "Visit site.org today", "1.5"])
def test_a_label_that_names_its_own_site_or_none_is_fine(label: str):
    assert found(links.links_lead_where_they_say, html=linked("https://shop.site.net/x", label)) == ""


@pytest.mark.parametrize("url", ["#", "", "https://www.example.com/news"])
def test_a_placeholder_is_found(url: str):
    assert "placeholder" in found(links.links_are_finished, html=linked(url))


def test_finished_links_are_fine():
    assert found(links.links_are_finished, html=linked("#part") + linked("https://www.site.net/")) == ""
