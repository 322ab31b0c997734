# ruff: noqa: E501 - samples stay on their lines


import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.rendering.text import text_from_html
from tests.deliveries.rendering.contents import compiled, renderer, row
from tests.effort import grows_with_length_only


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo\n"),
        ("a<br>b<br/>c", "a\nb\nc\n"),
        ("<h1>Title</h1>\n\n\n<p>Text\n  over   lines</p>", "Title\n\nText over lines\n"),
        ("<ul><li>a<li>b</ul>", "- a\n- b\n"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n"),
        ("<a href='https://example.com'>Shop</a>", "Shop (https://example.com)\n"),
        ("<a href='https://example.com'></a>", "https://example.com\n"),
        ("<a href='https://example.com'>https://example.com</a>", "https://example.com\n"),
        ("<a href='https://example.com'><img src=x alt='Our shop'></a>", "Our shop (https://example.com)\n"),
        ("<a href='mailto:a@example.com'>a@example.com</a>", "a@example.com\n"),
        ("<a href='#top'>Up</a> <a name='x'>Here</a>", "Up Here\n"),
        ("Fish &amp; chips &lt;now&gt; &euro;&nbsp;5 &#8364;", "Fish & chips <now> € 5 €\n"),
        ("<!--[if mso]><p>Outlook only</p><![endif]--><p>All</p>", "All\n"),
        ("<![if !mso]><p>Not Outlook</p><![endif]>", "Not Outlook\n"),
        ("<div style='display:none; max-height:0'>Preheader</div><p>Text</p>", "Text\n"),
        ("<style>.pre { display : none }</style><div class='a pre'>Preheader</div><p>Text</p>", "Text\n"),
        ("<head><title>T</title></head><script>x</script><p hidden>h</p><p>Text</p>", "Text\n"),
        ("a<hr>b", "a\n\n----------\n\nb\n"),
        ("<b>bo</b>ld and <i>it</i>", "bold and it\n"),
        ("", "\n"),
    ],
)
def test_it_reads_as_people_would(html: str, text: str) -> None:
    assert text_from_html(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>{% if recipient.score %}<b>Yes</b>{% else %}No{% endif %}</p>", "{% if recipient.score %}Yes{% else %}No{% endif %}\n"),
        ("<ul>{% for p in recipient.products %}<li>{{ p }}</li>{% endfor %}</ul>",
         "{% for p in recipient.products %}- {{ p }}\n{% endfor %}\n"),
        ("<a href='https://example.com/?x={{ recipient.score|urlencode }}'>Go</a>",
         "Go (https://example.com/?x={{ recipient.score|urlencode }})\n"),
        ("<p>{{ recipient.first_name|nl2br }}{{ recipient.last_name|e }}</p>", "{{ recipient.first_name }}{{ recipient.last_name }}\n"),
        ("{% if recipient.score > 3 and recipient.first_name < 'b' %}x{% endif %}",
         "{% if recipient.score > 3 and recipient.first_name < 'b' %}x{% endif %}\n"),
        ("<p>a{# a comment #}b</p>", "ab\n"),
        ("&#123;&#123; nothing }} &#123;% x %}", "{{ \"{\" }}{ nothing }} {{ \"{\" }}% x %}\n"),
        ("<div hidden>{% if recipient.score %}</div>x<div hidden>{% endif %}</div>", "{% if recipient.score %}x{% endif %}\n"),
        ("<!--{% if recipient.score %}{{ recipient.score }}-->x<!--{% endif %}-->", "{% if recipient.score %}x{% endif %}\n"),
    ],
)  # fmt: skip
def test_it_keeps_conditions_and_loops_working(html: str, text: str) -> None:
    assert text_from_html(html) == text
    assert compiled(html=html, text="").text == text


def test_it_leaves_no_empty_places_where_a_condition_shows_nothing() -> None:
    made = renderer(
        html="<p>A</p>{% if recipient.score %}<p>B</p>{% endif %}<ul>{% for p in recipient.products %}<li>{{ p }}</li>{% endfor %}</ul>"
        "<p>{% if recipient.score %}C{% else %}D{% endif %}</p>",
        text="",
    )

    assert made.text(row(made, score=1, products=["x", "y"])) == "A\n\nB\n\n- x\n- y\n\nC\n"
    assert made.text(row(made, products=["x"])) == "A\n\n- x\n\nD\n"


def test_it_shows_character_references_as_they_are() -> None:
    made = renderer(html="<p>&#123;&#123; recipient.score }} &#123;{{ recipient.score }}</p>", text="")

    assert made.text(row(made, score=5)) == "{{ recipient.score }} {5\n"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{")))
def test_it_never_makes_an_expression_of_what_is_none(html: str) -> None:
    made = renderer(html=f"<p>{html}</p>", text="")

    assert made.text(row(made)).endswith("\n")


@given(st.text("<>/&#;{}%pabr123!-[]='\" \n", max_size=60))
def test_it_reads_any_html(html: str) -> None:
    assert text_from_html(html).endswith("\n")


@pytest.mark.parametrize("piece", ["<div>", "<p>a", "<b>", "<a href=x>", "<td>", "<!--x-->", "</p>"])
def test_it_reads_html_nested_deeper_than_pythons_stack(piece: str) -> None:
    assert grows_with_length_only(lambda length: text_from_html(piece * length), 3_000)
