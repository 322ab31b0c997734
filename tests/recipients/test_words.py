"""Every language says the same."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipients.words import accepted, languages, words


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_it_speaks_five_languages():
    assert set(languages()) == {"de", "en", "es", "fr", "it"}


@pytest.mark.parametrize("language", sorted(languages()))
def test_it_has_every_sentence_with_the_same_values(language: str):
    own, english = languages()[language].sentences, languages()["en"].sentences

    assert set(own) == set(english)
    assert {name: fields(own[name]) for name in own} == {name: fields(english[name]) for name in english}
    assert all(sentence.strip() for sentence in own.values())


def test_it_escapes_values_and_nothing_else():
    said = words(["en"]).html("asked", address="<b>")

    assert "&lt;b&gt;" in said
    assert "Nothing there?" in said


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", ["fr-CH", "fr", "en", "de", "*"]),
        ("en;q=0.1, de", ["de", "en"]),
        ("de;q=0, en;q=x, it;q=7", []),
    ],
)
def test_it_reads_what_a_browser_asks_for(header: str, expected: list[str]):
    assert accepted(header) == expected


@given(st.text())
def test_it_falls_back_to_english_whatever_a_browser_sends(header: str):
    assert words(accepted(header)).language in languages()
