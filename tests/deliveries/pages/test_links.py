"""The page of a delivery's links."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from deliveries.models import Delivery
from deliveries.states import DeliveryState
from tests.deliveries import factories

pytestmark = pytest.mark.django_db

HTML = (
    '<a href="https://shop.example/a">Buy</a> <a href="https://shop.example/a">Again</a> '
    '<a href="https://shop.example/terms">shop.example/terms</a> <a href="mailto:a@shop.example">Write</a>'
    '<a href="https://shop.example/&quot;&gt;&lt;script&gt;">X</a>'
)


def page(delivery: Delivery) -> str:
    return reverse("admin:deliveries_delivery_links", args=[delivery.pk])


def test_it_lists_each_address_once_with_what_becomes_of_it(at_marketer: Client) -> None:
    made = factories.delivery(html=HTML, text="See https://text.example/only")

    html = at_marketer.get(page(made)).content.decode()

    assert html.count("https://shop.example/a<br>") == 1
    assert "Again · Buy" in html
    assert "readers see an address" in html
    assert "it leads to no web page" in html
    assert "https://text.example/only" in html
    assert "<script>" not in html.partition("<table")[2].partition("</table")[0]


def test_it_keeps_what_was_set_and_remembers_it_when_the_content_changes(at_marketer: Client) -> None:
    made = factories.delivery(html=HTML)

    answer = at_marketer.post(
        page(made),
        {"link-0-mode": "untracked", "link-0-label": "Shop", "link-0-category": "Sales", "link-1-mode": "tracked"},
    )

    assert answer.status_code == 302
    made.refresh_from_db()
    expected = {
        "https://shop.example/a": {"mode": "untracked", "label": "Shop", "category": "Sales"},
        "https://shop.example/terms": {"mode": "tracked", "label": "", "category": ""},
    }
    assert made.link_choices == expected

    Delivery.objects.filter(pk=made.pk).update(html='<a href="https://other.example/">A</a>')
    at_marketer.post(page(made), {"link-0-label": "Other"})
    made.refresh_from_db()
    assert made.link_choices == {
        **expected,
        "https://other.example/": {"mode": "", "label": "Other", "category": ""},
    }


def test_what_was_set_is_in_the_content(at_marketer: Client) -> None:
    made = factories.delivery(factories.people(1), html=HTML)
    at_marketer.post(page(made), {"link-0-mode": "opt_out", "link-0-label": "Out"})
    made.refresh_from_db()

    content = factories.analysed(made).content

    assert content is not None
    assert [(link["mode"], link["label"]) for link in content.compiled["links"]][:2] == [("opt_out", "Out")] * 2


def test_a_change_sets_an_analysis_aside(at_marketer: Client) -> None:
    made = factories.analysed(factories.delivery(factories.people(1), html=HTML))

    at_marketer.post(page(made), {"link-0-mode": "untracked"})

    made.refresh_from_db()
    assert (made.current_state, made.fingerprint) == (DeliveryState.EDITING, "")


def test_after_the_start_it_shows_what_was_sent_and_changes_nothing(at_marketer: Client) -> None:
    made = factories.confirmed(factories.delivery(factories.people(1), html=HTML))

    at_marketer.post(page(made), {"link-0-mode": "untracked"})
    html = at_marketer.get(page(made)).content.decode()

    made.refresh_from_db()
    assert made.link_choices == {}
    assert "https://shop.example/a" in html
    assert 'type="submit"' not in html.partition("<table")[2].partition("</form")[0]


def test_a_bad_value_is_said_beside_it(at_marketer: Client) -> None:
    made = factories.delivery(html=HTML)

    answer = at_marketer.post(page(made), {"link-0-mode": "sold", "link-0-label": "Kept"})

    assert answer.status_code == 200
    assert "Kept" in answer.content.decode()
    assert "c-error" in answer.content.decode()


def test_a_form_that_cannot_be_saved_keeps_what_was_typed_and_every_address(at_marketer: Client) -> None:
    made = factories.delivery(html=HTML)

    page_again = at_marketer.post(
        page(made), {"link-0-label": "x" * 201, "link-0-category": "Sales", "link-1-label": "Terms", "link-1-mode": "?"}
    ).content.decode()

    table = page_again.partition("<table")[2].partition("</table")[0]
    assert "2 addresses have an entry that cannot be used" in page_again
    assert "mailto:a@shop.example" in table
    assert f'value="{"x" * 201}"' in table
    assert "Write at most 200 characters; these are 201." in table
    assert 'aria-describedby="link-0-label-error"' in table
    assert 'value="Sales"' in table
    assert 'value="Terms"' in table
    assert "“?” is no mode. Choose one of the list." in table
    made.refresh_from_db()
    assert made.link_choices == {}


@pytest.mark.parametrize(
    ("values", "words"),
    [({"html": "", "text": "x"}, "There is no link"), ({"html": "{{ x"}, "cannot be read")],
)
def test_it_says_when_there_is_nothing_to_show(at_marketer: Client, values: dict[str, Any], words: str) -> None:
    assert words in at_marketer.get(page(factories.delivery(**values))).content.decode()


def test_a_template_hands_its_choices_on_to_its_deliveries() -> None:
    from deliveries.actions.create import create
    from deliveries.models import DeliveryTemplate

    template = DeliveryTemplate.objects.create(
        label="Mine", link_choices={"https://shop.example/a": {"mode": "untracked", "label": "", "category": ""}}
    )

    assert create(template, label="New").link_choices == template.link_choices
