"""Looking for literals first changes nothing in what an expression matches."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounces.parsing.patterns import line, literals_of
from bounces.qualification import DEFAULTS

LINES = [each for rule in DEFAULTS.rules for each in filter(None, map(str.strip, rule.pattern.splitlines()))]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_line_matches_every_text_that_its_expression_matches(data: st.DataObject) -> None:
    pattern = data.draw(st.sampled_from(LINES))
    text = data.draw(st.from_regex(pattern))

    assert line(pattern).matches(text)


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("mailbox full", ("mailbox full",)),
        ("user (?:is )?unknown", ("unknown",)),
        (r"(?:not )?found (?:here|there)+", ("found ",)),
        (r"\d{3} (?:gone|lost)", ("gone", "lost")),
        ("(?:gone|go)", ()),
        ("(?:gone){0,3}.*", ()),
        ("(?i)gone", ()),
        ("(?i:gone)", ()),
        (r"a\.b\.c", ("a.b.c",)),
        ("(?!gone)[a-z]+", ()),
    ],
)
def test_it_looks_for_what_no_match_is_without(pattern: str, literals: tuple[str, ...]) -> None:
    assert literals_of(pattern) == literals


def test_what_matches_is_named_for_people() -> None:
    whole = line("mailbox full")

    assert whole.part_of("550 mailbox full today") == "mailbox full"
    assert line("box (?:is )?full").part_of("the box is full") == "box is full"
    assert whole.part_of("mailbox empty") is None


def test_a_line_that_is_a_literal_but_for_its_escapes_matches_as_one() -> None:
    assert line(r"a\.b\.c").matches("xa.b.cx")
    assert not line(r"a\.b\.c").matches("a-b-c")
