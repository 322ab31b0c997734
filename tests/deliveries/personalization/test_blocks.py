import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.personalization.blocks import MAX_INCLUDES, Block, resolve
from deliveries.personalization.errors import PersonalizationErrors
from tests.deliveries.personalization.effort import at_most_calls
from tests.deliveries.rendering.contents import FIELDS

LETTERS = st.text(st.characters(exclude_characters="{", exclude_categories=["Cs"]))


def blocks(**html: str) -> dict[str, Block]:
    return {name: Block(name, source, f"text of {name}") for name, source in html.items()}


def resolved(source: str, known: dict[str, Block], *, html: bool = True) -> str:
    return resolve(source, "the HTML content", known, FIELDS, html=html)


@given(LETTERS, LETTERS, LETTERS)
def test_it_puts_a_block_in_to_the_letter(before: str, inner: str, after: str) -> None:
    assert resolved(before + "{% include 'a' %}" + after, blocks(a=inner)) == before + inner + after


def test_it_takes_the_text_of_a_block_for_text() -> None:
    assert resolved("<{% include 'a' %}>", blocks(a="html of a"), html=False) == "<text of a>"


@pytest.mark.parametrize(
    "source",
    [
        "{# {% include 'x' %} #}",
        "{% raw %}{% include 'x' %}{% endraw %}",
        "{%- raw -%}{% include 'x' %}{%- endraw -%}",
        """{{ "{% include 'x' %}" }}""",
        """{% if "{% include 'x' %}" %}a{% endif %}""",
    ],
)
def test_it_leaves_what_only_looks_like_an_include(source: str) -> None:
    assert resolved(source, {}) == source


@pytest.mark.parametrize("tag", ["{%include 'a'%}", '{% include "a" %}', "{%\ninclude\n'a'\n%}", "{%+ include 'a' %}"])
def test_it_knows_every_way_to_write_an_include(tag: str) -> None:
    assert resolved(f"x {tag} y", blocks(a="\n b ")) == "x \n b  y"


@pytest.mark.parametrize(
    "tag", ["{% include 'a' ignore missing %}", "{% include 'a' without context %}", "{% include 'b' %}"]
)
def test_it_refuses_other_includes(tag: str) -> None:
    with pytest.raises(PersonalizationErrors):
        resolved(tag, blocks(a="x"))


def test_it_names_the_block_in_which_a_problem_is() -> None:
    with pytest.raises(
        PersonalizationErrors, match=r"In the personalization block “a”, line 2: Unknown field recipient\.nmae"
    ):
        resolved("{% include 'a' %}", blocks(a="\n{{ recipient.nmae }}"))


def test_it_suggests_a_block_of_a_similar_name() -> None:
    with pytest.raises(PersonalizationErrors, match=r"Unknown personalization block “foter”\. Did you mean footer\?"):
        resolved("{% include 'foter' %}", blocks(footer="x"))


def test_it_refuses_blocks_that_include_each_other() -> None:
    known = blocks(a="{% include 'b' %}", b="{% include 'a' %}")

    with pytest.raises(PersonalizationErrors, match="include each other: a → b → a"):
        resolved("{% include 'a' %}", known)


def test_it_refuses_blocks_that_multiply() -> None:
    known = blocks(a="{% include 'b' %}" * 100, b="{% include 'c' %}" * 100, c="{% include 'd' %}" * 100, d="x")

    with at_most_calls(150_000), pytest.raises(PersonalizationErrors, match=f"More than {MAX_INCLUDES}"):
        resolved("{% include 'a' %}" * 100, known)


def test_it_refuses_blocks_nested_too_deeply() -> None:
    known = blocks(**{f"b{n}": f"{{% include 'b{n + 1}' %}}" for n in range(9)}, b9="x")

    with pytest.raises(PersonalizationErrors, match="nested more than"):
        resolved("{% include 'b0' %}", known)
