"""How the texts of a content look, as far as its inline styles tell: what they leave to a style sheet is unknown."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement

from deliveries.rendering import colours
from deliveries.rendering.colours import Colour
from deliveries.rendering.css import declarations, style_sheet

_UNSEEN: Final = frozenset({"head", "script", "style", "title", "template", "noscript", "svg"})
_SIZES: Final = {"h1": 32.0, "h2": 24.0, "h3": 18.7, "h4": 16.0, "h5": 13.3, "h6": 10.7, "small": 13.3}
_BOLD: Final = frozenset({"b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"})
_TOKEN = re.compile(r"#[0-9a-f]{3,8}\b|(?:rgb|hsl)a?\([^()]{0,60}\)|[a-z]+")
_SIZE = re.compile(r"(?<![\w.])(\d{1,4}(?:\.\d{1,3})?)(px|pt|em|rem|%)")
_WEIGHT = re.compile(r"\b(?:bold|[6-9]00)\b")


@dataclass(frozen=True, slots=True)
class Look:
    """Colours are ``None`` where nobody can tell; ``size`` is in pixels. ``own_…``: the author chose it."""

    colour: Colour | None = colours.BLACK
    background: Colour | None = colours.WHITE
    size: float | None = 16.0
    bold: bool = False
    own_colour: bool = False
    own_background: bool = False

    @property
    def is_large(self) -> bool:
        """Large enough for less contrast (WCAG 2.2): 24 pixels, or 18.7 in bold; so is what nobody knows."""
        return self.size is None or self.size >= (18.66 if self.bold else 24)


def texts(soup: BeautifulSoup) -> Iterator[tuple[str, Look]]:
    """Each text that is seen, with its look, in order."""
    styled = _styled(soup)
    waiting: list[tuple[PageElement, Look]] = [(node, Look()) for node in reversed(soup.contents)]
    while waiting:
        node, look = waiting.pop()
        if isinstance(node, Tag):
            style = declarations(str(node.get("style") or ""))
            if node.name in _UNSEEN or node.has_attr("hidden") or _is_hidden(style):
                continue
            own = _look(node, style, look, is_styled=_is_styled(node, styled))
            waiting.extend((child, own) for child in reversed(node.contents))
        elif type(node) is NavigableString and node.strip():  # its subclasses are comments and the like
            yield str(node), look


def _styled(soup: BeautifulSoup) -> frozenset[str]:
    """Elements, classes and identifiers that a style sheet gives colours or sizes, or hides."""
    names: set[str] = set()
    for rule in style_sheet(soup):
        if re.search(r"color|background|font|display|visibility", rule.body, re.IGNORECASE):
            # Of “.card h1”, whatever “.card” is, the last part is what gets the colours.
            names.update(name for one in rule.selectors for name in _last(one))
    return frozenset(names)


def _last(selector: str) -> Iterator[str]:
    parts = re.split(r"[\s>+~]+", selector.strip().lower())
    last = re.sub(r"\[[^\[\]]*\]|:[\w:-]+", "", parts[-1] if parts else "")
    yield from re.findall(r"[.#]?[\w-]+|\*", last)


def _is_styled(tag: Tag, styled: frozenset[str]) -> bool:
    if not styled:
        return False
    classes = (f".{name}".lower() for name in tag.get_attribute_list("class") if name)
    return bool({"*", tag.name, f"#{tag.get('id', '')}".lower(), *classes} & styled)


def _is_hidden(style: dict[str, str]) -> bool:
    return (
        style.get("display") == "none"
        or style.get("visibility") == "hidden"
        or style.get("opacity") == "0"
        or style.get("max-height", "").rstrip("px") == "0"
        or style.get("font-size", "").rstrip("px") in {"0", "1"}
    )


def _look(tag: Tag, style: dict[str, str], outer: Look, *, is_styled: bool) -> Look:
    look = outer
    if is_styled:
        look = replace(look, colour=None, background=None, size=None)
    if tag.name == "a" and not is_styled:
        look = replace(look, colour=colours.LINK, own_colour=False)
    if tag.name in _SIZES and not is_styled:
        look = replace(look, size=_SIZES[tag.name])
    if tag.name in _BOLD:
        look = replace(look, bold=True)
    look = _coloured(look, tag, style)
    look = _filled(look, tag, style)
    font = style.get("font-size") or style.get("font", "")
    if font:
        look = replace(look, size=_size(font, outer.size))
    if weight := style.get("font-weight") or style.get("font", ""):
        look = replace(look, bold=bool(_WEIGHT.search(weight)))
    return look


def _coloured(look: Look, tag: Tag, style: dict[str, str]) -> Look:
    value = style.get("color") or str(tag.get("color" if tag.name == "font" else "text") or "").lower()
    if not value or value in {"inherit", "currentcolor"}:
        return look
    return replace(look, colour=colours.read(value), own_colour=True)


def _filled(look: Look, tag: Tag, style: dict[str, str]) -> Look:
    value = style.get("background-color") or style.get("background") or str(tag.get("bgcolor") or "").lower()
    if "background-image" in style or tag.has_attr("background") or "url(" in value or "gradient(" in value:
        return replace(look, background=None, own_background=True)
    if not value or value in {"transparent", "none", "inherit", "initial"}:
        return look
    found = colours.read(value) or next(filter(None, map(colours.read, _TOKEN.findall(value[:200]))), None)
    return replace(look, background=found, own_background=True)


def _size(font: str, outer: float | None) -> float | None:
    match = _SIZE.search(font)
    if match is None:
        return None
    number, unit = float(match[1]), match[2]
    if unit == "px":
        return number
    if unit == "pt":
        return number * 4 / 3
    if unit == "rem":
        return number * 16
    return outer and outer * number / (100 if unit == "%" else 1)
