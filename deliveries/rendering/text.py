"""A text content made from the HTML content: once, as a template, with the author's conditions and loops in place."""

import re
from collections.abc import Callable

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement, PreformattedString

from deliveries.rendering.css import style_sheet
from deliveries.rendering.reading import EXPRESSION, tree

_HELD = re.compile("[\ue000\ue002](\\d+)\ue001")
_STATEMENT = re.compile("(\ue002\\d+\ue001)")
_PRIVATE = re.compile("[\ue000-\ue002]")
_SKIPPED = frozenset({"head", "script", "style", "title", "template", "noscript", "svg"})
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "figcaption", "figure",
     "footer", "form", "header", "li", "main", "nav", "ol", "pre", "section", "table", "tbody", "tfoot", "thead", "tr",
     "ul"}
)  # fmt: skip
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "table"})
# Not “mso-hide:all”, which hides from Outlook only.
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|max-height\s*:\s*0(?![.\d])", re.IGNORECASE)
_CLASS = re.compile(r"\s*[a-z]*\.([\w-]+)\s*", re.IGNORECASE)
_LABEL_PIECES = 50
"""A link's text of more pieces than these is not its own address."""


def text_from_html(html: str) -> str:
    """The readable text of an HTML template: paragraphs, lists, links with their addresses; hidden parts left out."""
    held: list[str] = []

    def hold(match: re.Match[str]) -> str:
        if match["literal"] is not None:
            return match["literal"]
        if match[0].startswith("{#"):
            return ""
        held.append(match[0])
        begin = "\ue002" if match[0].startswith("{%") else "\ue000"
        return f"{begin}{len(held) - 1}\ue001"

    # Expressions hide behind private-use characters, so that no HTML rule touches them.
    soup = tree(EXPRESSION.sub(hold, _PRIVATE.sub("", html)))
    hidden_classes = _hidden_classes(soup)
    pieces: list[str] = []
    _walk(soup, pieces, hidden_classes)
    text = "".join(pieces)
    text = re.sub(r"[ \t]*\n[ \t]*", "\n", text)
    text = _without_empty_places(re.sub(r"\n{3,}", "\n\n", text).strip())
    # What the HTML wrote as character references must not become an expression here.
    text = re.sub("\\{(?=[{%#\ue000\ue002])", '{{ "{" }}', text)
    return _HELD.sub(lambda match: _for_text(held[int(match[1])]), text) + "\n"


def _without_empty_places(text: str) -> str:
    """A statement that stands on a line of its own leaves no empty lines behind where it shows nothing."""
    before, *others = _STATEMENT.split(text)
    written, breaks = [before], 2 if not before else _breaks_at_end(before)
    for statement, after in zip(others[::2], others[1::2], strict=True):
        rest = after.lstrip("\n")
        here = len(after) - len(rest)
        if breaks:
            after = "\n" * max(here - breaks, 0) + rest
        written += [statement, after]
        breaks = _breaks_at_end(after) if rest else max(breaks, here)
    return "".join(written)


def _breaks_at_end(text: str) -> int:
    return len(text) - len(text.rstrip("\n"))


def _for_text(expression: str) -> str:
    """In text there is nothing to escape."""
    return re.sub(r"\|\s*(?:nl2br|escape|e)\b(?:\(\))?", "", expression)


def _hidden_classes(soup: BeautifulSoup) -> frozenset[str]:
    """Classes that a style sheet hides everywhere: by a selector that is nothing but the class."""
    # What is hidden on narrow screens or in print only is for readers of the text.
    hiding = (rule for rule in style_sheet(soup) if not rule.conditional and _HIDDEN.search(rule.body))
    return frozenset(match[1] for rule in hiding for name in rule.selectors if (match := _CLASS.fullmatch(name)))


def _walk(root: Tag, pieces: list[str], hidden: frozenset[str]) -> None:
    """Write every node in order. A stack of our own: HTML may be nested deeper than Python's."""
    waiting: list[PageElement | Callable[[], None]] = list(reversed(root.contents))
    while waiting:
        node = waiting.pop()
        if isinstance(node, PreformattedString):  # comments and declarations
            _keep_statements(str(node), pieces)
        elif isinstance(node, NavigableString):
            _add_text(str(node), pieces)
        elif not isinstance(node, Tag):
            if callable(node):
                node()
        elif _is_hidden(node, hidden):
            _keep_statements("".join(node.find_all(string=True)), pieces)
        elif node.name == "br":
            pieces.append("\n")
        elif node.name == "hr":
            pieces.append("\n\n----------\n\n")
        elif node.name == "img":
            _add_text(str(node.get("alt") or ""), pieces)
        else:
            waiting.append(_begin(node, pieces))
            waiting.extend(reversed(node.contents))


def _begin(node: Tag, pieces: list[str]) -> Callable[[], None]:
    """Write what stands before an element's content; the answer writes what comes after it."""
    break_ = "\n\n" if node.name in _PARAGRAPHS else "\n" if node.name in _BLOCKS else ""
    _add_break(break_, pieces)
    if node.name == "li":
        pieces.append("- ")
    start = len(pieces)

    def end() -> None:
        if node.name in {"td", "th"}:
            pieces.append(" ")
        if node.name == "a":
            _add_address(node, "".join(pieces[start : start + _LABEL_PIECES]).strip(), pieces)
        _add_break(break_, pieces)

    return end


def _add_break(break_: str, pieces: list[str]) -> None:
    """A line break once, however many elements begin and end here; an empty line where one of them is a paragraph."""
    if not break_:
        return
    while pieces and pieces[-1] == " ":
        pieces.pop()
    if break_ == "\n\n" or (pieces and not pieces[-1].endswith("\n")):
        pieces.append(break_)


def _keep_statements(left_out: str, pieces: list[str]) -> None:
    """Of what readers do not see, only ``{% … %}``: an ``if`` out there may have its ``endif`` in here."""
    pieces.extend(re.findall("\ue002\\d+\ue001", left_out))


def _add_address(node: Tag, label: str, pieces: list[str]) -> None:
    address = str(node.get("href") or "").strip()
    if address and not address.startswith("#") and address.removeprefix("mailto:") != label:
        pieces.append(f" ({address})" if label else address)


def _add_text(text: str, pieces: list[str]) -> None:
    text = re.sub(r"\s+", " ", text.replace("\xa0", " ").replace("\u200c", "").replace("\u200b", ""))
    if not pieces or pieces[-1][-1] in " \n":
        text = text.lstrip(" ")
    if text:
        pieces.append(text)


def _is_hidden(node: Tag, hidden: frozenset[str]) -> bool:
    classes: list[str] = node.get_attribute_list("class")
    return (
        node.name in _SKIPPED
        or node.has_attr("hidden")
        or bool(_HIDDEN.search(str(node.get("style") or "")))
        or any(name in hidden for name in classes)
    )
