"""Where a content goes one way or another, and what its fields are compared with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.personalization.branches import MOST_CONSTANTS, compared, mark, taken
from deliveries.personalization.budget import Budget
from deliveries.personalization.parse import MAX_SOURCE
from deliveries.personalization.sandbox import Environment, prepare, render, variable

SOURCE = """<p>
{%- if recipient.level == "gold" %} gold {% elif recipient.level == 'silver' -%} silver {% else %}none{% endif %}
{% for tag in recipient.tags %}{{ tag }}{% else %}no tags{% endfor %}
{% raw %}{% if this is text %}{% endraw %}{# {% if a comment %} #}{{ "{% if a text %}" }}
"""


def made(source: str, **values: object) -> str:
    template = prepare(Environment(autoescape=False), source, "the text")
    known = {variable(f"recipient.{name}"): value for name, value in values.items()}
    return render(template, known, Budget(None, 5))


def test_each_branch_is_named_with_its_line_and_its_tag():
    _, branches = mark(SOURCE, "the HTML content")

    assert [(branch.line, branch.words) for branch in branches] == [
        (2, '{%- if recipient.level == "gold" %}'),
        (2, "{% elif recipient.level == 'silver' -%}"),
        (2, '{% else %} of {%- if recipient.level == "gold" %}'),
        (3, "{% for tag in recipient.tags %}"),
        (3, "{% else %} of {% for tag in recipient.tags %}"),
    ]
    assert str(branches[3]) == "{% for tag in recipient.tags %} in the HTML content, line 3"


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        ({"level": "gold", "tags": []}, {7, 11}),
        ({"level": "silver", "tags": ["a", "b"]}, {8, 10}),
        ({"level": None, "tags": None}, {9, 11}),
    ],
)
def test_a_text_made_from_a_marked_source_tells_its_way_and_says_nothing_else(values: dict, numbers: set[int]):
    marked, _ = mark(SOURCE, "the text", first=7)

    text = made(marked, **values)

    assert taken(text) == numbers
    for number in numbers:
        text = text.replace(f"\ue100{number}\ue101", "")
    # What “-%}” takes away behind it stands behind the mark now.
    assert text.replace(" ", "") == made(SOURCE, **values).replace(" ", "")


@pytest.mark.parametrize("source", ["{% if", "{% if a %}{{ b", "{% endif %}", "{% else %}", "{# never closed"])
def test_a_source_that_cannot_be_read_is_no_error(source: str):
    marked, branches = mark(source, "the text")

    assert len(branches) <= 1
    assert marked.replace("\ue1000\ue101", "") == source


@given(
    st.lists(st.sampled_from(["{% if a %}", "{% elif b %}", "{% else %}", "{% endif %}", "{{ x }}", "x\n", "{#c#}"]))
)
def test_marks_are_all_that_is_added(pieces: list[str]):
    source = "".join(pieces)

    marked, branches = mark(source, "the text")

    for number in range(len(branches)):
        marked = marked.replace(f"\ue100{number}\ue101", "", 1)
    assert marked.rstrip("\n") == source.rstrip("\n")


def test_a_source_without_room_for_marks_has_none():
    source = "{% if a %}{% endif %}".ljust(MAX_SOURCE)

    assert mark(source, "the text") == (source, ())


def test_it_knows_what_fields_are_compared_with_through_filters_lists_tests_and_variables():
    found = compared(
        [
            '{% if recipient.level|lower in ["gold", "silver"] %}{% endif %}{{ recipient.city }}',
            '{% if recipient.points|int > 100 %}{% endif %}{{ "x" if recipient.points is divisibleby 3 else "y" }}',
            '{% set place = recipient.city|trim %}{% if "berg" in place %}{% endif %}',
            "{% if delivery.code == 'no personal field' %}{% endif %}",
        ]
    )

    assert found == {
        "recipient.level": ("gold", "silver"),
        "recipient.points": (100.0, 3.0),
        "recipient.city": ("berg",),
    }


def test_a_source_that_cannot_be_read_compares_nothing():
    assert compared(["{% if recipient.level == %}", "{{ " + "9" * 5000 + " }}"]) == {}


def test_of_many_constants_some_are_taken():
    texts = ", ".join(f'"{number}"' for number in range(200))

    assert len(compared([f"{{% if recipient.city in [{texts}] %}}{{% endif %}}"])["recipient.city"]) == MOST_CONSTANTS
