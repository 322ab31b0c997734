"""Style sheets and inline styles, read in one pass: whatever is written, the time grows with its length only."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bs4 import BeautifulSoup


@dataclass(frozen=True, slots=True)
class Rule:
    """``conditional``: it stands in an at-rule, such as ``@media``, and counts for some readers only."""

    selectors: tuple[str, ...]
    body: str
    conditional: bool


def style_sheet(soup: BeautifulSoup) -> Iterator[Rule]:
    """The rules of all ``style`` elements, in order."""
    return rules(" ".join(style.get_text() for style in soup.find_all("style")))


def rules(css: str) -> Iterator[Rule]:
    """Every rule with declarations, those in at-rules included."""
    text, opened = "", list[str]()
    for piece in re.split("([{}])", _without_comments(css)):
        if piece == "{":
            opened.append(text)
            text = ""
        elif piece == "}":
            if opened:
                selector = opened.pop().rpartition(";")[2]  # what stands before it is @import or @charset
                if text.strip():
                    yield Rule(tuple(one.strip() for one in selector.split(",")), text, bool(opened))
            text = ""
        else:
            text = piece


def declarations(style: str) -> dict[str, str]:
    """Properties in small letters with their values, the last of each; what is said to be important loses the word."""
    pairs = (declaration.partition(":") for declaration in style.split(";"))
    return {
        name.strip().lower(): value.strip().lower().removesuffix("!important").rstrip()
        for name, colon, value in pairs
        if colon
    }


def _without_comments(css: str) -> str:
    pieces, at = [], 0
    while (begin := css.find("/*", at)) >= 0:
        pieces.append(css[at:begin])
        end = css.find("*/", begin + 2)
        if end < 0:
            return "".join(pieces)
        at = end + 2
    return "".join([*pieces, css[at:]])
