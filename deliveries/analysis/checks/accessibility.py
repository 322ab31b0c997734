"""Whether everybody can read the HTML: those who see little, and those who have it read aloud (WCAG 2.2)."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from bs4 import Tag
from bs4.element import PageElement

from deliveries.analysis.checks.registry import check
from deliveries.analysis.checks.words import listed
from deliveries.analysis.material import Material
from deliveries.models import CheckLevel
from deliveries.rendering import colours
from deliveries.rendering.appearance import Look, texts

ENOUGH: Final = 4.5
ENOUGH_LARGE: Final = 3.0
"""Contrast of texts and of large texts (WCAG 2.2, 1.4.3)."""
SAYS_NOTHING: Final = frozenset(
    {
        "click", "click here", "details", "here", "learn more", "link", "more", "more info", "read", "read more",
        "see more", "this", "this link", "this page",
        "hier", "hier klicken", "klick", "klicken sie hier", "lesen", "mehr", "mehr erfahren", "mehr lesen",
        "weiter", "weiterlesen",
        "cliquez ici", "en savoir plus", "ici", "lire la suite", "plus",
        "aquí", "haga clic aquí", "leer más", "más", "más información",
    }
)  # fmt: skip
"""Labels that tell nobody where a link leads, in the languages that imports know."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*", re.IGNORECASE)
_MASK = "\ue000"


@check("Contrast of texts", order=80)
def texts_contrast(material: Material) -> Iterator[str]:
    """In the sun, on a poor screen and with weak eyes, pale text on a pale ground cannot be read."""
    pale: dict[tuple[colours.Colour, colours.Colour], str] = {}
    for text, look in texts(material.reading.soup):
        if look.colour is None or look.background is None or _contrasts(look):
            continue
        pale.setdefault((look.colour, look.background), " ".join(material.reading.written(text).split()))
    if pale:
        found = (
            f"{text[:30]} ({colours.written(colour)} on {colours.written(ground)}: "
            f"{colours.contrast(colour, ground):.1f})"
            for (colour, ground), text in pale.items()
        )
        yield (
            f"These texts are hard to read on their ground: {listed(found)}. The contrast should be {ENOUGH} at least, "
            f"{ENOUGH_LARGE:.0f} for large text: make one of the colours darker or lighter."
        )


def _contrasts(look: Look) -> bool:
    if look.colour is None or look.background is None:
        return True
    return colours.contrast(look.colour, look.background) >= (ENOUGH_LARGE if look.is_large else ENOUGH)


@check("Language of the HTML", order=81, level=CheckLevel.INFO)
def html_has_a_language(material: Material) -> Iterator[str]:
    """A voice that reads aloud must know which language it speaks (WCAG 2.2, 3.1.1)."""
    if not material.html.strip():
        return
    root = material.reading.soup.find("html")
    named = str(root.get("lang") or "").strip() if isinstance(root, Tag) else ""
    if _MASK in named:
        return
    wanted = material.delivery.language or "en"
    if not named:
        yield f'The HTML names no language, so it is read aloud in a wrong voice. Begin it with <html lang="{wanted}">.'
    elif not _LANGUAGE.fullmatch(named):
        yield f'“{named[:20]}” is no language that programs know. Write one such as <html lang="{wanted}">.'
    elif material.delivery.language and named.lower()[:2] != material.delivery.language.lower()[:2]:
        yield (
            f"The HTML says that it is in “{named}”, the delivery that it is in “{material.delivery.language}”. "
            "Correct one of them."
        )


@check("Order of headings", order=82, level=CheckLevel.INFO)
def headings_are_in_order(material: Material) -> Iterator[str]:
    """People who have a mail read aloud jump from heading to heading, by their levels (WCAG 2.2, 1.3.1)."""
    headings = material.reading.soup.find_all(re.compile("^h[1-6]$"))
    jumps, last = [], 0
    for heading in headings:
        level = int(heading.name[1])
        if level > last + 1:
            jumps.append(f"{heading.name} after h{last}" if last else f"{heading.name} as the first one")
        last = level
    if jumps:
        yield f"Headings leave levels out: {listed(dict.fromkeys(jumps))}. Begin with h1; go down one level at a time."


@check("Tables of the layout", order=83, level=CheckLevel.INFO)
def layout_tables_say_so(material: Material) -> Iterator[str]:
    """A table that only puts things beside each other is read aloud as data, cell by cell, unless it says so."""
    tables = _tables(material.reading.soup)
    if silent := sum(not (has_heads or str(table.get("role") or "").strip()) for table, has_heads in tables):
        yield f'{silent:,} of {len(tables):,} tables have no heads and no role. Write role="presentation" into them.'


def _tables(root: Tag) -> list[tuple[Tag, bool]]:
    """Every table, and whether it has heads or a caption of its own: in one pass, however deep they are nested."""
    tables: list[tuple[Tag, list[Tag]]] = []
    waiting: list[tuple[PageElement, list[Tag]]] = [(root, [])]
    while waiting:
        node, heads = waiting.pop()
        if not isinstance(node, Tag):
            continue
        if node.name in {"th", "caption"}:
            heads.append(node)
        elif node.name == "table":
            heads = []
            tables.append((node, heads))
        waiting.extend((child, heads) for child in reversed(node.contents))
    return [(table, bool(heads)) for table, heads in tables]


@check("Words of links", order=84, level=CheckLevel.INFO)
def links_say_where_they_lead(material: Material) -> Iterator[str]:
    """Links are read aloud in a list, without what stands around them (WCAG 2.2, 2.4.4)."""
    vague = [link.label for link in material.links if _plain(link.label) in SAYS_NOTHING]
    if vague:
        yield f"These words do not say where links lead: {listed(dict.fromkeys(vague))}. Name what people find there."
    leads: dict[str, set[str]] = defaultdict(set)
    for link in material.links:
        if (label := _plain(link.label)) and label not in SAYS_NOTHING:
            leads[label].add(link.url)
    if several := [label for label, urls in leads.items() if len(urls) > 1]:
        yield f"The same words lead to different places: {listed(several)}. Tell the links apart."


def _plain(label: str) -> str:
    return re.sub(r"[\s.…!»›>→:]+$", "", " ".join(label.split()).lower()).lstrip("»›>→ ")
