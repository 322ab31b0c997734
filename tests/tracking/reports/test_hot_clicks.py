"""The message with each link's share of the clicks."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from deliveries.models import Message, MessageValues
from deliveries.rendering.links import find_links
from tests.tracking.reports.seen import seen
from tracking.reports.hot_clicks import anchors, with_markers

MARKER = r'<span style="[^"]*">([^<]*)</span>'


def html(client: Client, made, number: int = 1, **query: str):
    return client.get(reverse("admin:deliveries_delivery_hot_clicks_html", args=[made.pk, number]), query)


@pytest.mark.django_db
def test_it_places_shares_on_the_links(at_marketer: Client) -> None:
    response = html(at_marketer, seen())

    page = response.content.decode()
    marked = dict(re.findall(rf'<a href="([^"]*)">{MARKER}', page))
    assert marked["https://news.example/"] == "33.3 % (1)"
    assert re.findall(rf"{MARKER}Shop</a>", page) == ["33.3 % (1)"]
    assert "sandbox" in response["Content-Security-Policy"]
    assert "script-src" not in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.django_db
def test_it_counts_machines_when_asked(at_marketer: Client) -> None:
    marked = dict(re.findall(rf'<a href="([^"]*)">{MARKER}', html(at_marketer, seen(), machines="1").content.decode()))

    assert marked["https://news.example/"] == "50.0 % (2)"


@pytest.mark.django_db
def test_it_is_for_those_who_may_view_deliveries(at_outsider: Client) -> None:
    assert html(at_outsider, seen()).status_code == 403


@pytest.mark.django_db
def test_it_says_that_the_values_are_gone(at_marketer: Client) -> None:
    made = seen()
    MessageValues.objects.all().delete()

    page = at_marketer.get(reverse("admin:deliveries_delivery_hot_clicks", args=[made.pk])).content.decode()

    assert "cannot be shown any more" in page
    assert html(at_marketer, made).status_code == 404
    Message.objects.all().delete()
    page = at_marketer.get(reverse("admin:deliveries_delivery_hot_clicks", args=[made.pk])).content.decode()
    assert "There is no message" in page
    assert html(at_marketer, made, 9).status_code == 404


def test_it_numbers_links_as_the_analysis_does() -> None:
    template = (
        '<a name="x">no</a><!-- <a href="/c">c</a> --><a href="/{{ recipient.name|default(">") }}">1</a>'
        "{% raw %}<A HREF='/two'>2</A>{% endraw %}{% if x %}<area href=/three>{% endif %}"
        '<script>"<a href=/s>"</script><a\nhref="/4?a&amp;b">4</a>'
    )

    found = list(anchors(template))

    links = find_links(template)
    assert [anchor.number for anchor in found] == [link.number for link in links] == [1, 2, 3, 4]
    marked = with_markers(
        template, {link.number: link.url for link in links}, {n: (str(n), "#000000") for n in range(1, 5)}
    )
    assert re.findall(MARKER, marked) == ["1", "2", "3", "4"]
    assert re.sub(MARKER, "", marked) == template


def test_it_marks_nothing_that_is_not_where_its_number_says() -> None:
    template = '<a href="/one">1</a><a href="/two">2</a>'

    assert with_markers(template, {1: "/two"}, {1: ("x", "#000000")}) == template
