import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.rendering.links import MAX_LABEL, find_links
from tests.effort import grows_with_length_only


@pytest.mark.parametrize(
    ("html", "url"),
    [
        ('<a href="{{ recipient.x|default("//a.example") }}">x</a>', '{{ recipient.x|default("//a.example") }}'),
        ("<a href='//example.com/{% if a > 1 %}b{% endif %}'>x</a>", "//example.com/{% if a > 1 %}b{% endif %}"),
        ('<a href="https://example.com/?a={{ \'}}\' }}">x</a>', "https://example.com/?a={{ '}}' }}"),
        ('<a {% if a %}class="b"{% endif %} href="c">x</a>', "c"),
        ("<a href=https://example.com/?a=1&amp;b=2>x</a>", "https://example.com/?a=1&b=2"),
        ("{# <a href=x> #}<a href=' y '>x</a>", "y"),
    ],
)  # fmt: skip
def test_it_brings_addresses_with_their_expressions(html: str, url: str) -> None:
    assert [link.url for link in find_links(html)] == [url]


def test_it_labels_a_link_by_its_text_else_its_image_else_its_title() -> None:
    links = find_links(
        "<a href=a> one\n <b>two</b><img alt=no></a><a href=b><img><img alt='three '></a>"
        "<a href=c title=four></a><a href=d></a>"
    )

    assert [link.label for link in links] == ["one two", "three", "four", ""]


def test_it_shortens_labels() -> None:
    [link] = find_links(f"<a href=a>{'long ' * 1000}</a>")

    assert len(link.label) == MAX_LABEL


def test_it_takes_a_text_that_looks_like_a_file_or_url_for_text() -> None:
    assert find_links("https://example.com") == find_links("news.html") == ()


def test_it_reads_up_to_what_is_never_closed() -> None:
    assert [link.url for link in find_links("<a href=a>x</a><a href='b>x</a><a href=c>")] == ["a"]


@pytest.mark.parametrize(
    "html",
    ["<!--", '<a b="', "<a href=x>y", "<a href=x><img alt=''>", "</a ", "<![CDATA[", "<?", "<a ", "<div>", "<style>"],
)  # fmt: skip
@pytest.mark.parametrize("end", ["", ">", "-->", '">'])
def test_its_time_grows_with_the_length_of_hostile_html_only(html: str, end: str) -> None:
    assert grows_with_length_only(lambda length: find_links(html * length + end), 10_000)


@given(st.text("<>/&#;!-='\" \nahref{}%x", max_size=80))
def test_it_reads_any_html(html: str) -> None:
    assert [link.number for link in find_links(html)] == list(range(1, len(find_links(html)) + 1))
