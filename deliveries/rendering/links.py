"""Where the links of a content are. Beautiful Soup reads; nothing is ever serialised back."""

from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from bs4 import Tag

from deliveries.rendering.reading import Reading, read

MAX_LABEL = 200
_MAX_NODES = 200


@dataclass(frozen=True, slots=True)
class Link:
    """A link by its number (from 1, in order of appearance), its address as written, and what readers see of it."""

    number: int
    url: str
    label: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def find_links(html: str) -> tuple[Link, ...]:
    """Every ``a`` and ``area`` with an address."""
    reading = read(html)
    tags = reading.soup.find_all(["a", "area"], href=True)
    return tuple(
        Link(number, reading.written(str(tag["href"]).strip()), _label(tag, reading))
        for number, tag in enumerate(tags, start=1)
    )


def _label(tag: Tag, reading: Reading) -> str:
    """Its text, else what its image or title says. Only the first nodes count: links never closed lie in each other."""
    nodes = list(islice(tag.descendants, _MAX_NODES))
    images = (str(node.get("alt") or "") for node in nodes if isinstance(node, Tag) and node.name == "img")
    texts = (str(text) for text in islice(tag.strings, _MAX_NODES))
    own = str(tag.get("alt") or tag.get("title") or "")
    labels = (" ".join(text.split()) for text in (" ".join(texts), *images, own))
    return reading.written(next(filter(None, labels), ""))[:MAX_LABEL]
