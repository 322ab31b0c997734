"""Personalization blocks: resolved once, when a content is compiled."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from deliveries.personalization.check import check
from deliveries.personalization.errors import PersonalizationErrors, Problem
from deliveries.personalization.fields import Field

MAX_NESTING = 5
MAX_INCLUDES = 200

_REST = r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^'"])*?"""
# Comments, raw parts and expressions are passed over whole: what looks like an include in them is none.
_INCLUDE = re.compile(
    r"\{#.*?#\}"
    r"|\{%[-+]?\s*raw\s*-?%\}.*?\{%[-+]?\s*endraw\s*[-+]?%\}"
    r"""|\{%(?P<before>[-+]?)\s*include\s*(?P<quote>['"])(?P<name>[^'"\\]*)(?P=quote)\s*(?P<after>[-+]?)%\}"""
    rf"|\{{\{{{_REST}\}}\}}"
    rf"|\{{%{_REST}%\}}",
    re.DOTALL,
)
_OTHER_INCLUDE = re.compile(r"\{%[-+]?\s*include\b")


@dataclass(frozen=True, slots=True)
class Block:
    """A named piece of content for HTML and for text."""

    name: str
    html: str
    text: str


def resolve(source: str, where: str, blocks: Mapping[str, Block], catalogue: dict[str, Field], *, html: bool) -> str:
    """``source`` with every ``{% include 'name' %}`` replaced by the block's own source; the rest to the letter.

    Source and blocks are checked, each under its own name. Raises :class:`PersonalizationErrors`.
    """
    return _Resolution(blocks, catalogue, html=html).resolve(source, where, ())


class _Resolution:
    """One content being put together; counts its includes, checks every block once."""

    def __init__(self, blocks: Mapping[str, Block], catalogue: dict[str, Field], *, html: bool) -> None:
        self.blocks = blocks
        self.catalogue = catalogue
        self.html = html
        self.includes = 0
        self.checked: set[str] = set()

    def resolve(self, source: str, where: str, path: tuple[str, ...]) -> str:
        """``source`` with its includes replaced; ``path`` names the blocks that led here."""
        if where not in self.checked:
            check(source, where, self.catalogue, blocks=self.blocks)
            self.checked.add(where)
        return _INCLUDE.sub(lambda match: self._splice(match, source, where, path), source)

    def _splice(self, match: re.Match[str], source: str, where: str, path: tuple[str, ...]) -> str:
        name = match["name"]
        if name is None:
            if _OTHER_INCLUDE.match(match[0]):
                line = source.count("\n", 0, match.start()) + 1
                sentence = "Write an include as {% include 'name' %}, with nothing else in it."
                raise PersonalizationErrors([Problem(where, line, sentence)])
            return match[0]
        self.includes += 1
        if problem := self._problem(name, path):
            line = source.count("\n", 0, match.start()) + 1
            raise PersonalizationErrors([Problem(where, line, problem)])
        block = self.blocks[name]
        inner = block.html if self.html else block.text
        text = self.resolve(inner, f"the personalization block “{name}”", (*path, name))
        # A comment keeps the tag's own whitespace control without touching the block.
        left = "{#- #}" if match["before"] == "-" else ""
        right = "{# -#}" if match["after"] == "-" else ""
        return left + text + right

    def _problem(self, name: str, path: tuple[str, ...]) -> str | None:
        chain = " → ".join((*path, name))
        if name in path:
            return f"Personalization blocks include each other: {chain}."
        if len(path) >= MAX_NESTING:
            return f"Personalization blocks are nested more than {MAX_NESTING} deep: {chain}."
        if self.includes > MAX_INCLUDES:
            return f"More than {MAX_INCLUDES} personalization blocks are included."
        return None
