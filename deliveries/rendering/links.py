"""Where the links of a content are. Beautiful Soup reads; nothing is ever serialised back."""

import html as entities
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from bs4 import Tag
from bs4.element import NavigableString, PageElement

from deliveries.rendering.reading import Masked, Reading, mask, read

MAX_LABEL = 200

HTML = "html"
TEXT = "text"


class LinkMode(StrEnum):
    """What becomes of a link."""

    TRACKED = "tracked"
    UNTRACKED = "untracked"
    OPT_OUT = "opt_out"
    """Tracked, and counted as a way out instead of as a click."""
    MIRROR = "mirror"
    """Tracked, and counted as a look at the mirror page instead of as a click."""


class Obstacle(StrEnum):
    """Why a link is not tracked although nobody said so."""

    NO_WEB_ADDRESS = "address"
    OWN_PAGE = "own"
    PERSONAL_HOST = "host"
    LOOP = "loop"
    RAW = "raw"
    SHOWN = "shown"
    """What readers see is an address itself; they would see that it leads elsewhere."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address stands in a part's template, and what stands there when it is not tracked."""

    part: str
    start: int
    end: int
    address: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link by its number (from 1, in order of appearance), its address as written, and what readers see of it.

    ``target`` is where it leads everybody; empty where that differs from message to message, or it is not tracked.
    """

    number: int
    url: str
    label: str
    category: str = ""
    mode: str = LinkMode.UNTRACKED
    obstacle: str = ""
    target: str = ""
    places: tuple[Place, ...] = ()

    @property
    def is_tracked(self) -> bool:
        """It leads over our server."""
        return self.mode != LinkMode.UNTRACKED

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Link":
        """The inverse of :meth:`to_json`, also of earlier versions."""
        return cls(**{**values, "places": tuple(Place(**place) for place in values.get("places", ()))})


@dataclass(frozen=True, slots=True)
class Address:
    """An address that was found in a part.

    ``masked``: with placeholders for expressions. ``place``: in the template, ``None`` where nothing can be put there.
    ``decoded``: masked, without the HTML's character references.
    """

    part: str
    masked: str
    decoded: str
    written: str
    label: str
    place: tuple[int, int] | None
    template: Masked
    in_loop: bool = False


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
    return tuple(
        Link(number, address.written, address.label) for number, address in enumerate(html_addresses(html), start=1)
    )


def html_addresses(html: str) -> Iterator[Address]:
    """The address of every ``a`` and ``area`` that has one, in order."""
    reading = read(html)
    for found in _walk(reading.soup):
        span = _span(reading, found.tag)
        masked = reading.masked.text[slice(*span)] if span else str(found.tag["href"]).strip()
        decoded = attribute_text(masked) if span else masked
        yield Address(
            HTML,
            masked,
            decoded,
            reading.written(decoded),
            reading.written(found.label())[:MAX_LABEL],
            reading.masked.origin(*span) if span else None,
            reading.masked,
            in_loop=span is not None and reading.masked.is_in_loop(span[0]),
        )


# As browsers and html.parser read a start tag: names, then values in quotes or up to the next blank.
_TAG_NAME = re.compile(r"<[a-z]++", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"[\s/]*+(?P<name>[^\s/>][^\s/>=]*+)"
    r"""(?:\s*+=\s*+(?:"(?P<double>[^"]*+)"|'(?P<single>[^']*+)'|(?P<bare>(?!["'])[^>\s]*+)))?"""
)


def _span(reading: Reading, tag: Tag) -> tuple[int, int] | None:
    """Where the first ``href`` of a tag is in the masked text, without blanks around it.

    ``None`` when that is not what the parser read: then nobody knows what a browser would take for the address.
    """
    text = reading.masked.text
    name = _TAG_NAME.match(text, reading.place(tag))
    position = name.end() if name else len(text)
    while match := _ATTRIBUTE.match(text, position):
        position = match.end()
        if match["name"].lower() != "href":
            continue
        kind = next((kind for kind in ("double", "single", "bare") if match[kind] is not None), None)
        value = match[kind] if kind else ""
        if kind is None or not value.strip() or _plain(value) != _plain(str(tag["href"])):
            return None
        start = match.start(kind) + len(value) - len(value.lstrip())
        return start, start + len(value.strip())
    return None


def _plain(value: str) -> str:
    """A value to compare, however many of its character references have been read."""
    return entities.unescape(entities.unescape(value)).strip()


_REFERENCE = re.compile(r"&(?:#(?:[0-9]+|[xX][0-9a-fA-F]+)|[A-Za-z][A-Za-z0-9]*)(?P<end>;?)(?P<next>=?)")


def attribute_text(value: str) -> str:
    """An attribute's value without character references. ``?a=1&copy=2`` is an address, as in browsers (HTML Standard,
    section 13.2.5.73: a reference in an attribute that lacks its semicolon and goes on is none)."""
    return _REFERENCE.sub(lambda match: entities.unescape(match[0]) if match["end"] else match[0], value)


_WEB = re.compile(r"https?://[^\s<>\"'`{}|\\^]++", re.IGNORECASE)
MAX_URL = 2000
"""Longer addresses are left alone: mail programs and browsers cut them."""
_TRAILING = ".,;:!?*_~"
_PAIRS = {")": "(", "]": "["}
_GOES_ON = re.compile("(?:\ue000\\d+\ue001)+")


def text_addresses(text: str) -> Iterator[Address]:
    """Every web address in a text, without the punctuation behind it."""
    masked = mask(text)
    for match in _WEB.finditer(masked.text):
        if len(match[0]) > MAX_URL:
            continue
        found = _up_to_statement(masked, match[0])
        url = _up_to_bracket(found).rstrip(_TRAILING)
        start, end = match.start(), match.start() + len(url)
        place = masked.origin(start, end)
        if len(found) < len(match[0]) and not _ends_here(masked.text, match.start() + len(found)):
            place = None
        written = masked.written(url)
        yield Address(TEXT, url, url, written, written[:MAX_LABEL], place, masked, in_loop=masked.is_in_loop(start))


def _up_to_statement(masked: Masked, url: str) -> str:
    """In a text a condition ends an address; a value that is written belongs to it."""
    for match in re.finditer("\ue000(\\d+)\ue001", url):
        if not masked.expressions[int(match[1])].is_written:
            return url[: match.start()]
    return url


def _ends_here(text: str, position: int) -> bool:
    """Behind the statements that stand at a position no address goes on."""
    statements = _GOES_ON.match(text, position)
    after = text[statements.end() if statements else position :][:1]
    return not after or after.isspace() or after in ")]>\"'" + _TRAILING


def _up_to_bracket(url: str) -> str:
    """An address ends before a bracket that was opened before it: ``(https://example.com/a)``."""
    opened: list[str] = []
    for position, character in enumerate(url):
        if character in _PAIRS.values():
            opened.append(character)
        elif character in _PAIRS and (not opened or opened.pop() != _PAIRS[character]):
            return url[:position]
    return url


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
