# ruff: noqa: E501 - samples stay on their lines

import pytest

from deliveries.personalization.check import MAX_PROBLEMS, check, used_fields
from deliveries.personalization.errors import PersonalizationErrors
from tests.deliveries.personalization.effort import at_most_calls
from tests.deliveries.rendering.contents import FIELDS

COMPILING_CALLS = 4_000_000
"""Somewhat more than what the worst of the samples takes."""


def problems(source: str) -> list[str]:
    with pytest.raises(PersonalizationErrors) as caught:
        check(source, "the HTML content", FIELDS)
    return [str(problem) for problem in caught.value]


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ recipient.__class__ }}",
        "{{ recipient.first_name.__class__ }}",
        "{{ recipient._values }}",
        "{{ recipient['__class__'] }}",
        "{{ recipient['first_name'] }}",
        "{{ recipient|attr('__class__') }}",
        "{{ recipient.first_name|attr('__class__') }}",
        "{{ '{0.__class__}'.format(recipient.first_name) }}",
        "{{ '%s'|format(recipient.first_name) }}",
        "{{ recipient.first_name.upper() }}",
        "{{ recipient.first_name.index }}",
        "{{ recipient.items() }}",
        "{{ cycler('a', 'b') }}",
        "{{ joiner(', ') }}",
        "{{ namespace(x=1) }}",
        "{% set n.x = 1 %}",
        "{{ self }}",
        "{{ self.__init__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ config }}",
        "{{ request.environ }}",
        "{{ settings.SECRET_KEY }}",
        "{{ lipsum() }}",
        "{{ lipsum.__globals__ }}",
        "{{ range(10) }}",
        "{{ dict(a=1) }}",
        "{{ {'a': 1} }}",
        "{{ super() }}",
        "{{ caller() }}",
        "{{ varargs }}",
        "{{ loop }}",
        "{% for i in [1] %}{{ loop }}{% endfor %}",
        "{% for i in [1] %}{{ loop.cycle('a') }}{% endfor %}",
        "{% for i in [1] %}{{ loop._iterator }}{% endfor %}",
        "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% for i in [1] %}{{ i.__class__ }}{% endfor %}",
        "{% import 'os' as os %}",
        "{% from 'os' import system %}",
        "{% extends 'base.html' %}",
        "{% include '/etc/passwd' %}",
        "{% include '../settings.py' ignore missing %}",
        "{% include recipient.first_name %}",
        "{% include ['a', 'b'] %}",
        "{% block a %}{% endblock %}",
        "{% macro m() %}{% endmacro %}",
        "{% call m() %}{% endcall %}",
        "{% filter upper %}a{% endfilter %}",
        "{% set a %}x{% endset %}",
        "{% do recipient.x() %}",
        "{% autoescape false %}{{ recipient.first_name }}{% endautoescape %}",
        "{% with a = 1 %}{% endwith %}",
        "{% debug %}",
        "{{ recipient.first_name|safe }}",
        "{{ recipient.first_name|map('upper') }}",
        "{{ recipient.first_name|xmlattr }}",
        "{{ recipient.first_name|tojson }}",
        "{{ recipient.first_name|pprint }}",
        "{{ recipient.first_name|_bounded }}",
        "{{ recipient.first_name is mapping }}",
        "{{ recipient.first_name[0:1000000000] }}",
        "{{ recipient.products[1:2] }}",
        "{{ 2 ** 1000000000 }}",
        "{{ " + "9" * 5000 + " }}",
        "{% set recipient = 1 %}",
        "{% set _language = 'x' %}",
        "{% set loop = 1 %}",
        "{% for recipient in [1] %}{% endfor %}",
        "{% set a = [1, [2]] %}",
        "{% set a = 'x' %}{% set b = [a, a] %}",
        "{{ '\\ud800' }}",
        "a\ud800b",
        "{% trans %}x{% endtrans %}",
        "{{ recipient }}",
        "{{ recipient.unknown }}",
        "{{ 1 if }}",
        "{% if recipient.first_name %}",
        "{# never ends",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ " + "not " * 5000 + "1 }}",
        "{{ 1" + "+1" * 5000 + " }}",
        "{{ recipient.first_name" + "|upper" * 5000 + " }}",
        "{% if 1 %}" * 300 + "{% endif %}" * 300,
        "{% for i in [1] %}" * 6 + "{% endfor %}" * 6,
        "x" * 1_000_001,
        "{{ recipient.score }}" * 6000,
        "{{ [" + "1," * 30_000 + "] }}",
    ],
)  # fmt: skip
def test_it_refuses_when_compiled(source: str) -> None:
    with at_most_calls(COMPILING_CALLS):
        sentences = problems(source)

    assert sentences
    assert all(sentence.startswith("In the HTML content, line 1: ") for sentence in sentences)
    assert not any("Traceback" in sentence or "object at" in sentence for sentence in sentences)


def test_it_names_field_line_and_close_match() -> None:
    [problem] = problems("<p>\n\n{{ recipient.frist_name }}</p>")

    assert problem == (
        "In the HTML content, line 3: Unknown field recipient.frist_name. "
        "Did you mean recipient.first_name or recipient.last_name?"
    )


def test_it_shows_several_problems_at_once() -> None:
    sentences = problems(
        "{{ recipient.frist_name }}\n{{ first_name }}\n{{ recipient.score|nubmer }}\n{% macro m() %}{% endmacro %}"
    )

    assert [sentence.split(":")[0] for sentence in sentences] == [
        f"In the HTML content, line {n}" for n in (1, 2, 3, 4)
    ]
    assert "Did you mean recipient.first_name" in sentences[1]
    assert "Did you mean number?" in sentences[2]


def test_it_stops_listing_problems_at_some_point() -> None:
    assert len(problems("{{ nothing }}" * 4_000)) == MAX_PROBLEMS


def test_it_finds_the_fields_that_are_used_in_order() -> None:
    source = "{% if recipient.score > 3 %}{{ recipient.first_name|default(recipient.last_name) }}{{ recipient.score }}{% endif %}"

    assert used_fields(source, "the text content", FIELDS) == (
        "recipient.score", "recipient.first_name", "recipient.last_name",
    )  # fmt: skip
