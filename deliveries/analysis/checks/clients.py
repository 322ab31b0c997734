"""What mail programs do differently from browsers, where that is certain."""

import re
from collections.abc import Iterator
from typing import Final

from bs4 import Tag

from deliveries.analysis.checks.registry import check
from deliveries.analysis.checks.words import listed
from deliveries.analysis.material import Material
from deliveries.models import CheckLevel
from deliveries.rendering import colours
from deliveries.rendering.appearance import texts
from deliveries.rendering.css import declarations, style_sheet

LEFT_OUT: Final = ("script", "iframe", "frame", "object", "embed", "applet", "base")
FORMS: Final = ("form", "input", "select", "textarea", "button")
FILMS: Final = ("video", "audio", "svg", "canvas")
_STYLES: Final = {
    "position: absolute, fixed or sticky": r"(?<![\w-])position\s*:\s*(?:absolute|fixed|sticky)",
    "flex and grid (not in Outlook for Windows)": r"(?<![\w-])display\s*:\s*(?:inline-)?(?:flex|grid)",
    "@import": r"@import\b",
}
_DARK = re.compile(r"(?<![\w-])dark\b")


@check("What mail programs leave out", order=90, level=CheckLevel.INFO)
def elements_are_shown(material: Material) -> Iterator[str]:
    """Mail programs take away what could be dangerous, and show little of what is new."""
    names = {tag.name for tag in material.reading.soup.find_all([*LEFT_OUT, *FORMS, *FILMS])}
    if gone := [name for name in LEFT_OUT if name in names]:
        yield f"All mail programs take these elements away: {listed(gone)}. Remove them."
    if forms := [name for name in FORMS if name in names]:
        yield f"Forms do not work in most mail programs: {listed(forms)}. Link to a page with the form."
    if films := [name for name in FILMS if name in names]:
        yield f"Gmail and Outlook do not show these elements: {listed(films)}. Show a linked picture instead."
    if any("stylesheet" in link.get_attribute_list("rel") for link in material.reading.soup.find_all("link")):
        yield "Gmail and Outlook load no style sheet from elsewhere. Write the styles into the HTML."


@check("Styles that mail programs leave out", order=91, level=CheckLevel.INFO)
def styles_are_shown(material: Material) -> Iterator[str]:
    """Outlook for Windows shows mails as a word processor does, and web mailers keep them inside their page."""
    soup = material.reading.soup
    inline = " ; ".join(str(tag["style"]) for tag in soup.find_all(style=True))
    sheets = " ; ".join(style.get_text() for style in soup.find_all("style"))
    written = f"{inline} ; {sheets}".lower()
    if lost := [name for name, pattern in _STYLES.items() if re.search(pattern, written)]:
        yield f"Not all mail programs do what these styles say: {listed(lost)}. Look at the content without them."


@check("Dark mode", order=92, level=CheckLevel.INFO)
def dark_mode_is_readable(material: Material) -> Iterator[str]:
    """A content that says it is made for dark mode is shown on a dark ground, with white as the usual text."""
    if not _is_made_for_dark_mode(material):
        return
    dark: dict[str, None] = {}
    light: dict[str, None] = {}
    for text, look in texts(material.reading.soup):
        if look.own_colour and not look.own_background and look.colour and colours.is_dark(look.colour):
            dark[_beginning(material, text)] = None
        if look.own_background and not look.own_colour and look.background and not colours.is_dark(look.background):
            light[_beginning(material, text)] = None
    if dark:
        yield f"In dark mode these texts are dark on a dark ground: {listed(dark)}. Give them a ground, too."
    if light:
        yield (f"In dark mode these texts are white on their light ground: {listed(light)}. Give them a colour, too.")


def _is_made_for_dark_mode(material: Material) -> bool:
    soup = material.reading.soup
    for meta in soup.find_all("meta"):
        if str(meta.get("name") or "").lower() in {"color-scheme", "supported-color-schemes"}:
            return bool(_DARK.search(str(meta.get("content") or "").lower()))
    root = soup.find("html")
    bodies = [rule.body for rule in style_sheet(soup)] + (
        [str(root.get("style") or "")] if isinstance(root, Tag) else []
    )
    return any(_DARK.search(declarations(body).get("color-scheme", "")) for body in bodies)


def _beginning(material: Material, text: str) -> str:
    return " ".join(material.reading.written(text).split())[:30]
