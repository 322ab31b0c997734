"""Whether everybody can read the HTML."""

import pytest

from deliveries.analysis.checks import accessibility
from tests.deliveries.analysis.checks import found

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "html",
    [
        '<p style="color:#999">Pale</p>',
        '<p style="color: rgb(150, 150, 150) !important">Pale</p>',
        '<p style="color:hsl(0, 0%, 60%)">Pale</p>',
        '<table bgcolor="#eee"><tr><td><font color="gray">Pale</font></td></tr></table>',
        '<div style="background:#1d4ed8 no-repeat"><p style="color:#000">Pale</p></div>',
        '<div style="background-color:navy"><a href="https://www.site.net/">Pale</a></div>',
        '<p style="color:#949494;font-size:18px">Pale</p>',
        '<body text="#aaaaaa">Pale</body>',
        '<style>p { margin: 0 }</style><p style="color:#999">Pale</p>',
        '<style>.x { color: red }</style><p class="x" style="color:#999;background:#fff">Pale</p>',
    ],
)
def test_a_text_that_is_hard_to_read_is_found(html: str):
    assert "“Pale" in found(accessibility.texts_contrast, html=html)


@pytest.mark.parametrize(
    "html",
    [
        "<p>Black on white</p>",
        '<p style="color:#767676">Just enough</p>',
        '<p style="color:#949494;font-size:24px">Large</p>',
        '<h1 style="color:#949494">Large</h1>',
        '<p style="color:#949494;font:bold 14pt Arial">Large and bold</p>',
        '<div style="background:#000"><p style="color:#fff">White on black</p></div>',
        '<div style="background-image:url(x.png)"><p style="color:#fff">On a picture</p></div>',
        '<div style="background:url(x.png) #fff"><p style="color:#fff">On a picture</p></div>',
        '<td background="x.png"><p style="color:#fff">On a picture</p></td>',
        '<div style="display:none;color:#fff">Preheader</div>',
        '<div style="font-size:1px;color:#fff">Preheader</div>',
        '<div style="max-height:0px;color:#fff">Preheader</div>',
        '<p style="color:{{ recipient.first_name }}">Nobody knows</p>',
        '<p style="color:rgba(0,0,0,.1)">Nobody knows</p>',
        '<style>.dark { background: #000 }</style><div class="dark"><p style="color:#fff">Nobody knows</p></div>',
        '<style>table.b td { background: #000 }</style><table><td style="color:#fff">Nobody knows</td></table>',
        '<style>a { color: #fff }</style><div style="background:#000"><a href="#x">Nobody knows</a></div>',
        '<!-- <p style="color:#fff">No text</p> --><style>p { color: #fff }</style><title>t</title>',
        '<p style="color:;;:;background">Broken</p><p style="color:#ggg">Broken</p>',
    ],
)
def test_a_text_that_can_be_read_or_that_nobody_can_judge_is_fine(html: str):
    assert found(accessibility.texts_contrast, html=html) == ""


def test_each_pair_of_colours_is_named_once_with_its_contrast():
    said = found(
        accessibility.texts_contrast, html='<p style="color:#999">One <b>two</b></p><p style="color:#aaa">Three'
    )

    assert "“One (#999999 on #ffffff: 2.8)”, “Three (#aaaaaa on #ffffff: 2.3)”" in said


@pytest.mark.parametrize(
    ("html", "language", "sentence"),
    [
        ("<p>Hello</p>", "", "names no language"),
        ("<html><p>Hello</p>", "fr", '<html lang="fr">'),
        ('<html lang="english language">', "", "no language that programs know"),
        ('<html lang="de-DE">', "en", "it is in “en”"),
    ],
)
def test_a_missing_or_wrong_language_is_found(html: str, language: str, sentence: str):
    assert sentence in found(accessibility.html_has_a_language, html=html, language=language)


@pytest.mark.parametrize(
    "html", ['<html lang="en-GB">', "<HTML LANG=en>", '<html lang="{{ recipient.language }}">', ""]
)
def test_a_language_that_fits_is_fine(html: str):
    assert found(accessibility.html_has_a_language, html=html, text="x", language="en") == ""


def test_headings_that_leave_levels_out_are_found():
    said = found(accessibility.headings_are_in_order, html="<h2>a</h2><h1>b</h1><h2>c</h2><h4>d</h4><h4>e</h4>")

    assert "“h2 as the first one”, “h4 after h2”" in said


@pytest.mark.parametrize("html", ["<p>None</p>", "<h1>a</h1><h2>b</h2><h3>c</h3><h2>d</h2><h1>e</h1>"])
def test_headings_in_order_are_fine(html: str):
    assert found(accessibility.headings_are_in_order, html=html) == ""


def test_tables_that_do_not_say_that_they_are_layout_are_counted():
    html = '<table><tr><td><table role="presentation"></table><table><th>Price</th></table></td></tr></table>'

    assert "1 of 3 tables" in found(accessibility.layout_tables_say_so, html=html)


def test_the_heads_of_an_inner_table_are_not_the_outer_ones():
    assert "1 of 2 tables" in found(
        accessibility.layout_tables_say_so, html="<table><td><table><tr><th>Price</th></table></td></table>"
    )


@pytest.mark.parametrize(
    "html", ["<p>None</p>", "<table role=none></table>", "<table><caption>Prices</caption></table>"]
)
def test_tables_of_data_and_tables_with_a_role_are_fine(html: str):
    assert found(accessibility.layout_tables_say_so, html=html) == ""


@pytest.mark.parametrize("label", ["Click here", "read more …", "» Hier", "En savoir plus →", "Más"])
def test_words_that_do_not_say_where_a_link_leads_are_found(label: str):
    html = f'<a href="https://www.site.net/">{label}</a>'

    assert "do not say" in found(accessibility.links_say_where_they_lead, html=html)


def test_the_same_words_for_different_places_are_found():
    html = '<a href="https://www.site.net/a">Shoes</a><a href="https://www.site.net/b">shoes</a>'

    assert "“shoes”" in found(accessibility.links_say_where_they_lead, html=html)


def test_words_that_say_where_links_lead_are_fine():
    html = '<a href="#1">News of May</a><a href="#1">News of May</a><a href="#2">{{ recipient.first_name }}</a>'

    assert found(accessibility.links_say_where_they_lead, html=html) == ""
