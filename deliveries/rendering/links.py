"""Where the links of a content are. Beautiful Soup reads; nothing is ever serialised back."""

from dataclasses import asdict, dataclass, field
from typing import Any

from bs4 import Tag
from bs4.element import NavigableString, PageElement

from deliveries.rendering.reading import read

MAX_LABEL = 200


@dataclass(frozen=True, slots=True)
class Link:
    """A link by its number (from 1, in order of appearance), its address as written, and what readers see of it."""

    number: int
    url: str
    label: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(slots=True)
class _Found:
    tag: Tag
    texts: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)

    def label(self) -> str:
        """Its text, else what its image or its title says."""
        own = str(self.tag.get("alt") or self.tag.get("title") or "")
        labels = (" ".join(text.split()) for text in (" ".join(self.texts), *self.images, own))
        return next(filter(None, labels), "")


def find_links(html: str) -> tuple[Link, ...]:
    """Every ``a`` and ``area`` with an address."""
    reading = read(html)
    return tuple(
        Link(
            number,
            reading.written(str(found.tag["href"]).strip()),
            reading.written(found.label())[:MAX_LABEL],
        )
        for number, found in enumerate(_walk(reading.soup), start=1)
    )


def _walk(root: Tag) -> list[_Found]:
    """Links in order, in one pass. As in browsers, a link ends where the next one begins, closed or not."""
    links: list[_Found] = []
    present: _Found | None = None
    waiting: list[PageElement | None] = list(reversed(root.contents))
    while waiting:
        node = waiting.pop()
        if node is None:
            present = None
        elif isinstance(node, Tag):
            if node.name in {"a", "area"} and node.has_attr("href"):
                present = _Found(node)
                links.append(present)
                waiting.append(None)
            elif present and node.name == "img":
                present.images.append(str(node.get("alt") or ""))
            waiting.extend(reversed(node.contents))
        elif present and type(node) is NavigableString:  # its subclasses are comments, scripts and styles
            present.texts.append(str(node))
    return links
