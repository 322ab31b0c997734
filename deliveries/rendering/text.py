"""A text content made from the HTML content: once, as a template, with the author's conditions and loops in place."""

import re

from bs4 import BeautifulSoup, Comment, Doctype, NavigableString, PageElement, Tag

_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_HELD = re.compile("\ue000(\\d+)\ue001")
_SKIPPED = frozenset({"head", "script", "style", "title", "template", "noscript", "svg"})
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "figcaption", "figure",
     "footer", "form", "header", "li", "main", "nav", "ol", "pre", "section", "table", "tbody", "tfoot", "thead", "tr",
     "ul"}
)  # fmt: skip
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "table"})
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all|visibility\s*:\s*hidden", re.IGNORECASE)


def text_from_html(html: str) -> str:
    """The readable text of an HTML template: paragraphs, lists, links with their addresses; hidden parts left out."""
    held: list[str] = []

    def hold(match: re.Match[str]) -> str:
        held.append(match[0])
        return f"\ue000{len(held) - 1}\ue001"

    # Expressions hide behind private-use characters, so that no HTML rule touches them.
    soup = BeautifulSoup(_EXPRESSION.sub(hold, html.replace("\ue000", "").replace("\ue001", "")), "html.parser")
    hidden_classes = _hidden_classes(soup)
    pieces: list[str] = []
    _walk(soup, pieces, hidden_classes)
    text = "".join(pieces)
    text = re.sub(r"[ \t]*\n[ \t]*", "\n", text)
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    return _HELD.sub(lambda match: _for_text(held[int(match[1])]), text) + "\n"


def _for_text(expression: str) -> str:
    """Comments are left out; in text there is nothing to escape."""
    return "" if expression.startswith("{#") else re.sub(r"\|\s*(?:nl2br|escape|e)\b(?:\(\))?", "", expression)


def _hidden_classes(soup: BeautifulSoup) -> frozenset[str]:
    css = " ".join(style.get_text() for style in soup.find_all("style"))
    return frozenset(
        name for name, rules in re.findall(r"\.([\w-]+)\s*\{([^{}]*)\}", css) if _HIDDEN.search(rules)
    )


def _walk(node: PageElement, pieces: list[str], hidden: frozenset[str]) -> None:
    if isinstance(node, Comment | Doctype):
        return
    if isinstance(node, NavigableString):
        _add_text(str(node), pieces)
        return
    if not isinstance(node, Tag) or _is_hidden(node, hidden):
        return
    if node.name == "br":
        pieces.append("\n")
    elif node.name == "hr":
        pieces.append("\n\n----------\n\n")
    elif node.name == "img":
        _add_text(str(node.get("alt") or ""), pieces)
    else:
        _walk_element(node, pieces, hidden)


def _walk_element(node: Tag, pieces: list[str], hidden: frozenset[str]) -> None:
    break_ = "\n\n" if node.name in _PARAGRAPHS else "\n" if node.name in _BLOCKS else ""
    pieces.append(break_)
    if node.name == "li":
        pieces.append("- ")
    start = len(pieces)
    for child in node.children:
        _walk(child, pieces, hidden)
    if node.name in {"td", "th"}:
        pieces.append(" ")
    if node.name == "a":
        _add_address(node, "".join(pieces[start:]).strip(), pieces)
    pieces.append(break_)


def _add_address(node: Tag, label: str, pieces: list[str]) -> None:
    address = str(node.get("href") or "").strip()
    if address and not address.startswith("#") and address.removeprefix("mailto:") != label:
        pieces.append(f" ({address})" if label else address)


def _add_text(text: str, pieces: list[str]) -> None:
    text = re.sub(r"\s+", " ", text.replace("\xa0", " ").replace("\u200c", "").replace("\u200b", ""))
    last = next((piece for piece in reversed(pieces) if piece), "\n")
    pieces.append(text.lstrip(" ") if last[-1:] in " \n" else text)


def _is_hidden(node: Tag, hidden: frozenset[str]) -> bool:
    classes = node.get("class") or []
    return (
        node.name in _SKIPPED
        or node.has_attr("hidden")
        or bool(_HIDDEN.search(str(node.get("style") or "")))
        or any(name in hidden for name in classes)
    )
