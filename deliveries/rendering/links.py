"""Where the links of a content are. Beautiful Soup reads; nothing is ever serialised back."""

from dataclasses import asdict, dataclass
from typing import Any

from bs4 import BeautifulSoup, Tag


@dataclass(frozen=True, slots=True)
class Link:
    """A link by its number (from 1, in order of appearance), its address as written, and what readers see of it."""

    number: int
    url: str
    label: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def parse(html: str) -> BeautifulSoup:
    """The content as a tree to look at."""
    return BeautifulSoup(html, "html.parser")


def find_links(soup: BeautifulSoup) -> tuple[Link, ...]:
    """Every ``a`` and ``area`` with an address."""
    tags = soup.find_all(["a", "area"], href=True)
    return tuple(Link(number, str(tag["href"]).strip(), _label(tag)) for number, tag in enumerate(tags, start=1))


def _label(tag: Tag) -> str:
    text = " ".join(tag.get_text(" ").split())
    if text:
        return text[:200]
    image = tag.find("img", alt=True)
    alt = str(image["alt"]) if isinstance(image, Tag) else str(tag.get("alt") or tag.get("title") or "")
    return " ".join(alt.split())[:200]
