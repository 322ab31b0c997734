"""Style sheets and inline styles."""

import pytest

from deliveries.rendering.css import Rule, declarations, rules


def test_it_reads_rules_and_says_which_count_for_some_readers_only():
    css = """@import url("a.css"); /* .no { display: none } */
        a, .Box { color: red } @media print { .b { color: blue } @supports (x: y) { c { d: e } } }
        @font-face { src: f }"""

    assert list(rules(css)) == [
        Rule(("a", ".Box"), " color: red ", False),
        Rule((".b",), " color: blue ", True),
        Rule(("c",), " d: e ", True),
        Rule(("@font-face",), " src: f ", False),
    ]


@pytest.mark.parametrize("css", ["", "}", "}{", "a {", "a { b: c", "/*", "a { b: c /* }", "@media { a {} }"])
def test_what_is_not_complete_is_no_rule(css: str):
    assert list(rules(css)) == []


def test_it_reads_declarations():
    style = "COLOR: Red !important; background : url(data:image/png;base64,AA==) ; color:#FFF;;x"

    assert declarations(style)["color"] == "#fff"
    assert declarations("color: red !important") == {"color": "red"}
    assert declarations("") == {}
