import pytest

from deliveries.rendering.text import text_from_html
from tests.effort import grows_with_length_only


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<style>@media (max-width: 480px) { .m { display: none } }</style><p class=m>Wide</p>", "Wide\n"),
        ("<style>@media print { .x { color: red } } .m { display: none }</style><p class=m>No</p>Yes", "Yes\n"),
        ("<style>/* .m { display: none } */ p.a, .b { display: none }</style><p class=a>No</p><p class=m>1</p>", "1\n"),
        ("<style>.a .m { display: none }</style><p class=m>Yes</p>", "Yes\n"),
        ("<p style='mso-hide: all'>All but Outlook</p>", "All but Outlook\n"),
        ("<div style='max-height: 0; overflow: hidden'>Preheader</div>Text", "Text\n"),
        ("<div style='max-height: 0.5em'>Text</div>", "Text\n"),
    ],
)  # fmt: skip
def test_it_leaves_out_only_what_is_hidden_everywhere(html: str, text: str) -> None:
    assert text_from_html(html) == text


@pytest.mark.parametrize("piece", ["<!--", '<a b="', "<a href=x>y", "</a ", "<![CDATA[", "<style>", "<div hidden>"])
def test_its_time_grows_with_the_length_of_hostile_html_only(piece: str) -> None:
    assert grows_with_length_only(lambda length: text_from_html(piece * length), 10_000)


@pytest.mark.parametrize("piece", ["a", "@", "@a{", "/*", "{", "a{b:c}", "{#", "{{", "{%", ".a,", "display:none"])
def test_its_time_grows_with_the_length_of_a_hostile_style_sheet_only(piece: str) -> None:
    def read(length: int) -> None:
        text_from_html(f"<style>{{% raw %}}{piece * length}{{% endraw %}}</style>x")

    assert grows_with_length_only(read, 300_000 // len(piece))
