"""What mail programs do differently from browsers."""

import pytest

from deliveries.analysis.checks import clients
from tests.deliveries.analysis.checks import found

pytestmark = pytest.mark.django_db

DARK = '<meta name="color-scheme" content="light dark">'


@pytest.mark.parametrize(
    ("html", "sentence"),
    [
        ("<script>x()</script>", "“script”"),
        ('<iframe src="https://www.site.net/"></iframe>', "“iframe”"),
        ("<FORM><input name=a></FORM>", "“form”, “input”"),
        ("<video src=x></video>", "“video”"),
        ("<svg><path/></svg>", "“svg”"),
        ('<link rel="stylesheet" href="https://www.site.net/a.css">', "style sheet from elsewhere"),
    ],
)
def test_an_element_that_mail_programs_do_not_show_is_found(html: str, sentence: str):
    assert sentence in found(clients.elements_are_shown, html=html)


def test_usual_elements_are_shown():
    html = '<link rel="icon" href="x"><table><td><img src="a.png"><a href="#x">b</a></td></table><!-- <script> -->'

    assert found(clients.elements_are_shown, html=html) == ""


@pytest.mark.parametrize(
    ("html", "sentence"),
    [
        ('<p style="position : absolute">x</p>', "position"),
        ("<style>.a { display:inline-flex }</style>", "flex"),
        ("<style>@import url(a.css);</style>", "@import"),
    ],
)
def test_a_style_that_not_all_programs_know_is_found(html: str, sentence: str):
    assert sentence in found(clients.styles_are_shown, html=html)


def test_usual_styles_are_fine():
    html = '<p style="background-position:absolute;display:block">position: fixed is what the text says</p>'

    assert found(clients.styles_are_shown, html=html) == ""


@pytest.mark.parametrize(
    "head", [DARK, "<style>:root { color-scheme: light dark; }</style>", '<html style="color-scheme:dark">']
)
def test_in_dark_mode_colours_without_their_ground_and_grounds_without_colours_are_found(head: str):
    html = f'{head}<p style="color:#222">Dark</p><p style="background:#fff">Light</p>'

    said = found(clients.dark_mode_is_readable, html=html)

    assert "dark on a dark ground: “Dark”" in said
    assert "white on their light ground: “Light”" in said


@pytest.mark.parametrize(
    "html",
    [
        '<p style="color:#222">The program chooses colours</p>',
        '<meta name="color-scheme" content="light only"><p style="color:#222">Light</p>',
        f'{DARK}<p style="color:#222;background:#fff">Both</p><p>Neither</p><p style="color:#eee">Light</p>',
    ],
)
def test_both_or_neither_colour_is_fine(html: str):
    assert found(clients.dark_mode_is_readable, html=html) == ""
