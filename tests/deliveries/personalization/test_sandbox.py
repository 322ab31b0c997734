# ruff: noqa: E501 - samples stay on their lines

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import pytest
from hypothesis import given as of_any
from hypothesis import strategies as st
from markupsafe import escape

from deliveries.personalization.budget import Budget
from deliveries.personalization.check import check
from deliveries.personalization.errors import PersonalizationErrors, RenderLimit, ValueProblem
from deliveries.personalization.sandbox import Environment, escaped, prepare, render, variable
from tests.deliveries.personalization.effort import at_most_calls, at_most_memory
from tests.deliveries.rendering.contents import FIELDS

# Somewhat more than what the worst of the samples takes.
RENDERING_CALLS = 12_000_000
VALUE_CALLS = 250_000
MEMORY = 10_000_000


def given(values: dict[str, object]) -> dict[str, object]:
    """What a template finds: a message has every field, though some have no value."""
    people = {variable(f"recipient.{name}"): value for name, value in values.items()}
    return {**{variable(path): None for path in FIELDS}, **people, "_language": "en"}


def rendered(source: str, *, budget: Budget | None = None, autoescape: bool = True, **values: object) -> str:
    check(source, "the HTML content", FIELDS)
    template = prepare(Environment(autoescape=autoescape), source, "the HTML content")
    return render(template, given(values), budget or Budget(time.monotonic))


def nested(count: int, inner: str = "x") -> str:
    letters = "abcde"[:count]
    begin = "".join(f"{{% for {letter} in recipient.products %}}" for letter in letters)
    return begin + inner + "{% endfor %}" * count


@pytest.mark.parametrize(
    "source",
    [
        nested(5),
        nested(2, "{{ a|upper|lower|upper|lower|replace('a', 'bbbbbbbbbb')|urlencode|nl2br }}" * 100),
        nested(1, "{{ recipient.first_name }}") * 10,
        "{% for c in recipient.first_name %}" + nested(1) + "{% endfor %}",
        "{% for b in recipient.products if b != 'none' %}"
        + nested(1, "{{ b ~ recipient.last_name }}")
        + "{% endfor %}",
        nested(2, "{{ recipient.score|number(10) }}" * 200),
        nested(2, "{{ recipient.products|join }}"),
        nested(2, "{% if a == b and a != b %}{% endif %}" * 1000),
        nested(2, "{% if recipient.score + 1 > 3 %}{% endif %}" * 1000),
        nested(
            2,
            "{% if recipient.first_name in recipient.products %}{% endif %}" + "{{ recipient.first_name|title }}" * 50,
        ),
    ],
)
@pytest.mark.parametrize(
    "bound", [partial(at_most_calls, RENDERING_CALLS), partial(at_most_memory, MEMORY)], ids=["calls", "memory"]
)
def test_it_bounds_what_a_message_may_use(source: str, bound: Callable[[], AbstractContextManager[None]]) -> None:
    check(source, "the HTML content", FIELDS)
    template = prepare(Environment(autoescape=True), source, "the HTML content")
    products = ["ä" * 1000] * 1000
    values = {"first_name": "ä" * 10_000, "products": products, "score": 12345.678, "last_name": "x" * 1000}

    with bound(), pytest.raises(RenderLimit):
        render(template, given(values), Budget(None))


@pytest.mark.parametrize(
    "source",
    [
        "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 60,
        "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a + a %}" * 60,
        "{{ 'x' * 1000000000 }}",
        "{{ recipient.products * 1000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 999999999999999 * 999999999999999 * 999999999999999 }}",
        "{{ 1 / 0 }}",
        "{{ 1 // 0 }}",
        "{{ 1 % 0 }}",
        "{{ 1.5 / 0 }}",
        "{{ recipient.first_name + 1 }}",
        "{{ recipient.unset + 1 }}".replace("unset", "last_name"),
        "{{ 'x'|number }}",
        "{{ '1e999999999'|number }}",
        "{{ '1e-999999999'|number }}",
        "{{ 'nan'|number }}",
        "{{ 'Infinity'|currency('EUR') }}",
        "{{ 5|currency('euro') }}",
        "{{ 5|currency('XXX' ~ recipient.first_name) }}",
        "{{ 5|number('many') }}",
        "{{ '31.05.2026'|date }}",
        "{{ '2026-02-30'|date }}",
        "{{ recipient.products|date }}",
        "{{ '2026-05-31'|date('EEEE') }}",
        "{{ 'x'|replace('x', '" + "y" * 101 + "') }}",
        "{{ 'x'|round }}",
        "{{ 'x'|truncate('y') }}",
    ],
)  # fmt: skip
def test_it_says_in_peoples_words_what_does_not_fit(source: str) -> None:
    with at_most_calls(VALUE_CALLS), at_most_memory(MEMORY), pytest.raises(ValueProblem) as caught:
        rendered(source, first_name="Anna", products=["a", "b"])

    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert not any(
        word in sentence for word in ("Error", "argument", "NoneType", "object", "isoformat", "Decimal", "<class")
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ 'x'|truncate(10000000000000000000) }}", "x"),
        ("{{ 'abc'|truncate(2) }}", "a…"),
        ("{{ 'abc'|truncate(-5, 'e') }}", "e"),
        ("{{ 1.25|round(1000000000) }}", "1.25"),
        ("{{ 1234.5|number(1000000000) }}", "1,234.5000000000"),
        ("{{ 1234.5|number(-3) }}", "1,234"),
        ("{{ 'abc'|replace('', 'y') }}", "abc"),
        ("{{ 'inf'|float }}", "0.0"),
        ("{{ 'nan'|float(3) }}", "3"),
        ("{{ 'x'|int }}", "0"),
        ("{{ recipient.score|int + 1 }}", "1"),
        ("{{ recipient.products|first }}", "a"),
        ("{{ recipient.products|last }}", "b"),
        ("{{ recipient.products[1] }}", "b"),
        ("{{ recipient.products[7] }}", ""),
        ("{{ recipient.products }}", "a, b"),
        ("{{ recipient.products|length }}", "2"),
        ("{{ recipient.products|join(' + ') }}", "a + b"),
        ("{{ recipient.score }}", ""),
        ("{{ recipient.score|upper }}{{ recipient.score|proper }}{{ recipient.score|date }}{{ recipient.score|number }}", ""),
        ("{{ recipient.score|currency('EUR') }}{{ recipient.score|truncate(3) }}{{ recipient.score|join }}", ""),
        ("{{ recipient.score|default('none') }}", "none"),
        ("{{ ''|default('none') }}{{ ''|default('none', false) }}", "none"),
        ("{{ recipient.score is none }}", "True"),
        ("{% for p in recipient.score %}x{% else %}nothing{% endfor %}", "nothing"),
        ("{% for p in recipient.products %}{{ loop.index }}/{{ loop.length }}{{ p }}{% if not loop.last %}, {% endif %}{% endfor %}",
         "1/2a, 2/2b"),
        ("{% for p in recipient.products %}{{ p.index }}{{ p.upper }}{{ p.title }}{% endfor %}", ""),
        ("{% if false %}{% set a = 1 %}{% endif %}{{ a }}{{ a|default('b') }}", "b"),
        ("{% set a, b = 1, 2 %}{{ a + b }}", "3"),
        ("{{ '<' ~ recipient.first_name }}", "&lt;&lt;Anna&gt;"),
        ("{{ recipient.first_name }}|{{ recipient.first_name|e }}", "&lt;Anna&gt;|&lt;Anna&gt;"),
        ("{{ 'a\nb <'|nl2br }}", "a<br>b &lt;"),
        ("{% raw %}{{ recipient.first_name }}{% endraw %}", "{{ recipient.first_name }}"),
        ("{# a comment #}x\n", "x\n"),
        ("{% if recipient.score %}a{% elif recipient.first_name == 'x' %}b{% else %}c{% endif %}", "c"),
    ],
)  # fmt: skip
def test_it_renders(source: str, expected: str) -> None:
    assert rendered(source, first_name="<Anna>", products=["a", "b"]) == expected


def test_it_knows_fields_named_like_a_method() -> None:
    source = "{{ recipient.items }}{{ recipient.keys }}{{ recipient.get }}{% for p in recipient.products %}{{ p.items }}{% endfor %}"

    assert rendered(source, items="a", keys="b", get="c", products=[{"items": "d"}]) == "abcd"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{% if 1 %}", "{% endif %}"),
        ("{{ (", ") }}"),
        ("{% for i in [1] %}", "{% endfor %}"),
        ("{% if 1 %}{% else %}", "{% endif %}"),
    ],
)
@pytest.mark.parametrize("depth", [1, 5, 20, 55, 59])
def test_it_prepares_whatever_the_checks_let_through(before: str, after: str, depth: int) -> None:
    if before == "{{ (":
        source = "{{ " + "1 + (" * depth + "1" + ")" * depth + " }}"
    else:
        source = before * depth + "x" + after * depth

    try:
        check(source, "the HTML content", FIELDS)
    except PersonalizationErrors:
        return

    assert rendered(source) is not None


def test_it_ends_a_rendering_when_the_time_is_over() -> None:
    now = iter(range(1000))
    budget = Budget(lambda: float(next(now)), seconds=50)

    with pytest.raises(RenderLimit, match="takes too long"):
        rendered(nested(1), budget=budget, products=["a"] * 100)


def test_it_counts_one_budget_over_all_parts_of_a_message() -> None:
    budget = Budget(None)
    source = nested(1)

    for _ in range(10):
        rendered(source, budget=budget, products=["a"] * 1000)

    with pytest.raises(RenderLimit, match="10,000 times"):
        rendered(source, budget=budget, products=["a"])


@of_any(st.text(alphabet=st.one_of(st.sampled_from("&<>'\"=;#a"), st.characters()), max_size=30))
def test_it_escapes_as_markupsafe_does(text: str) -> None:
    assert escaped(text) == str(escape(text))
