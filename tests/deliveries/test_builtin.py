"""What is there out of the box."""

import re
from typing import Any

import pytest
from bs4 import BeautifulSoup

from deliveries.actions.create import create
from deliveries.analysis.source import compile_properties
from deliveries.builtin import template_values
from deliveries.models import DeliveryTemplate, Level
from deliveries.pages.templates import picture_of
from deliveries.states import DeliveryState
from tests.deliveries.factories import analysed, builtin_blocks, people, route

pytestmark = pytest.mark.django_db

VALUES = {values["label"]: values for values in template_values()}


@pytest.fixture(params=VALUES)
def template(request: pytest.FixtureRequest) -> DeliveryTemplate:
    builtin_blocks()
    DeliveryTemplate.objects.filter(label=request.param).delete()
    return DeliveryTemplate.objects.create(**VALUES[request.param])


def test_it_brings_a_template_for_each_usual_kind_of_mail() -> None:
    assert list(VALUES) == ["Newsletter", "Announcement", "Transactional notice", "Re-engagement", "Plain text"]
    assert set(VALUES) <= set(DeliveryTemplate.objects.values_list("label", flat=True))


def test_it_passes_an_analysis_with_nothing_to_say_about_its_content(template: DeliveryTemplate) -> None:
    route()
    delivery = create(template, label="From a template")
    delivery.target_lists.add(people(2))

    delivery = analysed(delivery)

    assert delivery.current_state is DeliveryState.READY
    warnings = delivery.journal.filter(level=Level.WARNING).values_list("sentence", flat=True)
    assert [text for text in warnings if "signed" not in text] == []


def test_it_lets_people_leave_and_read_in_a_browser(template: DeliveryTemplate) -> None:
    compiled = compile_properties(template)

    assert "message.unsubscribe_url" in compiled.text
    if compiled.html:
        assert "message.unsubscribe_url" in compiled.html
        assert "message.mirror_url" in compiled.html


def test_it_can_be_read_by_everybody(template: DeliveryTemplate) -> None:
    if not template.html:
        return
    page: Any = BeautifulSoup(picture_of(template), "html.parser")

    assert page.html["lang"] == "en"
    assert page.title.get_text(strip=True)
    assert len(page.find_all("h1")) == 1
    for table in page.find_all("table"):
        assert table.get("role") == "presentation" or table.find("th", scope="row")
    assert all(image.has_attr("alt") for image in page.find_all("img"))
    assert all(link.get_text(strip=True) for link in page.find_all("a"))


def test_it_greets_people_without_a_name_as_well(template: DeliveryTemplate) -> None:
    assert not re.search(r"\{\{|\{%|None", picture_of(template))
