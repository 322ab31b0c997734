"""Personalization blocks: resolved once, when a content is compiled."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from deliveries.personalization.errors import PersonalizationErrors, Problem
from deliveries.personalization.fields import Field
from deliveries.personalization.sandbox import check

MAX_NESTING = 5

_INCLUDE = re.compile(r"""\{%-?\s*include\s*(?P<quote>['"])(?P<name>[^'"]*)(?P=quote)\s*-?%\}""")


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
    return _resolve(source, where, blocks, catalogue, html, ())


def _resolve(
    source: str, where: str, blocks: Mapping[str, Block], catalogue: dict[str, Field], html: bool, path: tuple[str, ...]
) -> str:
    check(source, where, catalogue, blocks=blocks)

    def splice(match: re.Match[str]) -> str:
        name = match["name"]
        if name in path or len(path) >= MAX_NESTING:
            line = source.count("\n", 0, match.start()) + 1
            chain = " → ".join((*path, name))
            raise PersonalizationErrors([Problem(where, line, f"Personalization blocks include each other: {chain}.")])
        block = blocks[name]
        inner = block.html if html else block.text
        return _resolve(inner, f"the personalization block “{name}”", blocks, catalogue, html, (*path, name))

    return _INCLUDE.sub(splice, source)
