"""A content's HTML as a tree to look at. Beautiful Soup reads; nothing is ever serialised back.

Expressions hide behind private-use characters, so that no HTML rule touches them, and what is never closed is cut off,
as browsers do: the parser would look for its end again and again.
"""

import re
from dataclasses import dataclass

from bs4 import BeautifulSoup

EXPRESSION = re.compile(
    r"\{%[-+]?\s*raw\s*[-+]?%\}(?P<literal>.*?)\{%[-+]?\s*endraw\s*[-+]?%\}"
    r"|\{#.*?#\}"
    r"""|\{\{(?:[^"'}]++|"(?:[^"\\]++|\\.)*+"|'(?:[^'\\]++|\\.)*+'|\}(?!\}))*+\}\}"""
    r"""|\{%(?:[^"'%]++|"(?:[^"\\]++|\\.)*+"|'(?:[^'\\]++|\\.)*+'|%(?!\}))*+%\}""",
    re.DOTALL,
)
"""Of a content that has been checked: all of it is closed."""

_HELD = re.compile("\ue000(\\d+)\ue001")
_PRIVATE = re.compile("[\ue000-\ue002]")
_MARKUP = re.compile(
    r"<!--.*?-->"
    r"|<(?P<raw>script|style)\b[^>]*+>.*?</(?P=raw)\s*>"
    r"""|<(?!(?:script|style)\b)[a-z](?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])))*+>"""
    r"|<(?:/[a-z]|[!?])[^>]*+>"
    r"|(?P<unclosed><(?:/?[a-z]|[!?]))",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """The tree, in whose texts and attributes ``\\ue000<number>\\ue001`` stands for an expression of ``held``."""

    soup: BeautifulSoup
    held: tuple[str, ...]

    def written(self, text: str) -> str:
        """A text or attribute of the tree with its expressions as the author wrote them."""
        return _HELD.sub(lambda match: self.held[int(match[1])], text)


def read(html: str) -> Reading:
    """Read ``html``, whose personalization has been checked."""
    held: list[str] = []

    def hold(match: re.Match[str]) -> str:
        if match["literal"] is not None:
            return match["literal"]
        held.append(match[0])
        return f"\ue000{len(held) - 1}\ue001"

    masked = EXPRESSION.sub(hold, _PRIVATE.sub("", html))
    return Reading(tree(masked), tuple(held))


def tree(html: str) -> BeautifulSoup:
    """The tree of HTML without expressions, in time that grows with its length only."""
    # The line break tells Beautiful Soup that this is no file name and no URL.
    return BeautifulSoup(f"{_closed(html)}\n", "html.parser")


def _closed(html: str) -> str:
    """``html`` up to the first comment or tag that never ends."""
    for match in _MARKUP.finditer(html):
        if match["unclosed"]:
            return html[: match.start()]
    return html
