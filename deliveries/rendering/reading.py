"""A content's HTML as a tree to look at. Beautiful Soup reads; nothing is ever serialised back.

Expressions hide behind private-use characters, so that no HTML rule touches them, and what is never closed is cut off,
as browsers do: the parser would look for its end again and again.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from bs4 import BeautifulSoup, Tag

EXPRESSION = re.compile(
    r"\{%[-+]?\s*raw\s*[-+]?%\}(?P<literal>.*?)\{%[-+]?\s*endraw\s*[-+]?%\}"
    r"|\{#.*?#\}"
    r"""|\{\{(?:[^"'}]++|"(?:[^"\\]++|\\.)*+"|'(?:[^'\\]++|\\.)*+'|\}(?!\}))*+\}\}"""
    r"""|\{%(?:[^"'%]++|"(?:[^"\\]++|\\.)*+"|'(?:[^'\\]++|\\.)*+'|%(?!\}))*+%\}""",
    re.DOTALL,
)
"""Of a content that has been checked: all of it is closed."""

_PIECE = re.compile(rf"(?P<private>[\ue000-\ue002])|{EXPRESSION.pattern}", re.DOTALL)
_HELD = re.compile("\ue000(\\d+)\ue001")
_FOR = re.compile(r"\{%[-+]?\s*for\b")
_ENDFOR = re.compile(r"\{%[-+]?\s*endfor\b")
_NOT_PRIVATE = dict.fromkeys(range(0xE000, 0xE003))
_MARKUP = re.compile(
    r"<!--.*?-->"
    r"|<(?P<raw>script|style)\b[^>]*+>.*?</(?P=raw)\s*>"
    r"""|<(?!(?:script|style)\b)[a-z](?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+'|(?!["'])))*+>"""
    r"|<(?:/[a-z]|[!?])[^>]*+>"
    r"|(?P<unclosed><(?:/?[a-z]|[!?]))",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Held:
    """An expression, statement or comment: what the author wrote, and where that begins in the masked text."""

    source: str
    at: int

    @property
    def is_written(self) -> bool:
        """It puts a value there; statements and comments write nothing themselves."""
        return self.source.startswith("{{")


@dataclass(frozen=True)
class Masked:
    """A template in whose ``text`` ``\\ue000<number>\\ue001`` stands for an expression of ``expressions``."""

    text: str
    expressions: tuple[Held, ...]
    starts: tuple[int, ...]
    """Where the pieces begin, in the masked text; each is text, an expression or a literal."""
    origins: tuple[tuple[int, int, bool], ...]
    """For each piece: where it begins and ends in the template, and whether it is one character for one."""

    def written(self, text: str) -> str:
        """A text or attribute of the tree with its expressions as the author wrote them."""
        return _HELD.sub(lambda match: self.expressions[int(match[1])].source, text)

    def origin(self, start: int, end: int) -> tuple[int, int] | None:
        """The place in the template of ``text[start:end]``, which cuts no expression in two and is not empty.

        ``None`` where part of it is between ``raw`` and ``endraw``: an expression put there would be shown as it is.
        """
        first, last = bisect_right(self.starts, start) - 1, bisect_right(self.starts, end - 1) - 1
        if any(_is_literal(self.text[self.starts[piece]], self.origins[piece]) for piece in range(first, last + 1)):
            return None
        begin, _, is_text = self.origins[first]
        start_there = begin + (start - self.starts[first] if is_text else 0)
        begin, finish, is_text = self.origins[last]
        return start_there, begin + end - self.starts[last] if is_text else finish

    def is_in_loop(self, position: int) -> bool:
        """Whether a position of the masked text stands between ``for`` and ``endfor``."""
        edges = self._loop_edges
        passed = bisect_right(edges, (position, 0))
        return sum(step for _, step in edges[:passed]) > 0 if passed else False

    @cached_property
    def _loop_edges(self) -> list[tuple[int, int]]:
        """Where loops begin (1) and end (-1)."""
        edges = ((held.at, _loop_edge(held.source)) for held in self.expressions)
        return [(at, step) for at, step in edges if step]


def _loop_edge(source: str) -> int:
    if _FOR.match(source):
        return 1
    return -1 if _ENDFOR.match(source) else 0


def _is_literal(first: str, origin: tuple[int, int, bool]) -> bool:
    return not origin[2] and first != "\ue000"


def mask(template: str) -> Masked:
    """Put a placeholder for each expression of a template whose personalization has been checked."""
    pieces: list[str] = []
    held: list[Held] = []
    starts: list[int] = []
    origins: list[tuple[int, int, bool]] = []
    length = end = 0

    def add(piece: str, begin: int, finish: int, *, is_text: bool) -> None:
        nonlocal length
        if piece:
            pieces.append(piece)
            starts.append(length)
            origins.append((begin, finish, is_text))
            length += len(piece)

    for match in _PIECE.finditer(template):
        add(template[end : match.start()], end, match.start(), is_text=True)
        end = match.end()
        if match["private"]:
            continue
        if match["literal"] is not None:
            add(match["literal"].translate(_NOT_PRIVATE), match.start(), end, is_text=False)
            continue
        held.append(Held(match[0], length))
        add(f"\ue000{len(held) - 1}\ue001", match.start(), end, is_text=False)
    add(template[end:], end, len(template), is_text=True)
    return Masked("".join(pieces), tuple(held), tuple(starts), tuple(origins))


@dataclass(frozen=True)
class Reading:
    """The tree of an HTML template, and the masked text that it was made of."""

    soup: BeautifulSoup
    masked: Masked

    @property
    def held(self) -> tuple[str, ...]:
        """The expressions, by their numbers."""
        return tuple(held.source for held in self.masked.expressions)

    def written(self, text: str) -> str:
        """A text or attribute of the tree with its expressions as the author wrote them."""
        return self.masked.written(text)

    def place(self, tag: Tag) -> int:
        """Where a tag begins in the masked text."""
        return self._lines[(tag.sourceline or 1) - 1] + (tag.sourcepos or 0)

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.masked.text))]


def read(html: str) -> Reading:
    """Read ``html``, whose personalization has been checked."""
    masked = mask(html)
    return Reading(tree(masked.text), masked)


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
