"""What a person would read in an HTML part. PURE.

Not a parser of HTML: bounces are written by machines; their words must come out in bounded time whatever the markup.
"""

import html
import re

_OPENING = re.compile(r"<(?:(style|script|head|title)\b|!--)", re.IGNORECASE)
_CLOSING = {
    name: re.compile(rf"</{name}[^<>]{{0,100}}>", re.IGNORECASE) for name in ("style", "script", "head", "title")
}
_BREAK = re.compile(r"<(?:br|/?p|/?div|/?tr|/?li|/?h[1-6]|/?table|/?ul|hr|/?td|/?pre)\b[^<>]{0,2000}>", re.IGNORECASE)
# An address in angle brackets that nobody escaped is text.
_TAG = re.compile(r"</?[A-Za-z!?][^<>@]{0,4000}>|<[A-Za-z][A-Za-z0-9]{0,10}\s[^<>]{0,4000}>")


def text_of(markup: str) -> str:
    """The text of `markup`, a line for each block."""
    text = _visible(markup)
    if "<pre" not in text.lower():
        text = " ".join(text.split())
    return html.unescape(_TAG.sub("", _BREAK.sub("\n", text))).replace("\xa0", " ")


def _visible(markup: str) -> str:
    """`markup` without comments and elements that are not shown; one that is never closed hides nothing."""
    pieces: list[str] = []
    at = 0
    while opening := _OPENING.search(markup, at):
        if opening[1] is None:
            end = markup.find("-->", opening.end()) + 3
            end = -1 if end == 2 else end
        else:
            closing = _CLOSING[opening[1].lower()].search(markup, opening.end())
            end = closing.end() if closing else -1
        if end < 0:
            break
        pieces.append(markup[at : opening.start()])
        at = end
    pieces.append(markup[at:])
    return "".join(pieces)
