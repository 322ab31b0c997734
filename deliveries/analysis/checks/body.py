"""The two parts of the content, and the headers that an author adds."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from deliveries.analysis.checks.registry import check
from deliveries.analysis.checks.words import listed
from deliveries.analysis.material import Material
from deliveries.models import CheckLevel
from deliveries.personalization.header_script import findings
from deliveries.rendering.compile import taken_headers
from deliveries.rendering.text import text_from_html

_TAG = re.compile(
    r"</?(?:a|b|body|br|div|em|h[1-6]|html|i|img|li|ol|p|span|strong|table|td|tr|ul)(?:\s[^<>]*)?/?>", re.IGNORECASE
)

MOST_LINKS: Final = 200
"""That are looked for in the text, one by one."""
FEWEST_WORDS: Final = 12
"""Of shorter contents the number of words they share says little."""

_WORD = re.compile(r"\w{4,}")
_NO_WORDS = re.compile(r"\{\{[^{}]*\}\}|\{%[^{}]*%\}|\{#[^{}]*#\}|https?://\S+")


@check("Content", required=True)
def content_is_present(material: Material) -> Iterator[str]:
    """Something must be said."""
    if not material.delivery.html.strip() and not material.delivery.text.strip():
        yield "The content is empty. Write an HTML content, a text content or both."


@check("HTML content", order=40, level=CheckLevel.INFO)
def html_is_present(material: Material) -> Iterator[str]:
    """Without an HTML content there is no mirror page."""
    if material.delivery.text.strip() and not material.delivery.html.strip():
        yield "There is no HTML content: messages are plain text and have no mirror page."


@check("Text content", order=41, level=CheckLevel.INFO)
def text_is_written(material: Material) -> Iterator[str]:
    """Some people and most watches show the text only."""
    if material.html.strip() and not material.delivery.text.strip():
        yield "The text content is made from the HTML content. Look at it in the preview, or write your own."


@check("Text content in step", order=43)
def text_says_the_same(material: Material) -> Iterator[str]:
    """Who reads the text gets the same news: often only the HTML was changed last time."""
    own = material.delivery.text
    if not (own.strip() and material.html.strip()):
        return
    links = [link.url for link in material.links if link.url.lower().startswith(("http://", "https://"))]
    if lost := [url for url in islice(dict.fromkeys(links), MOST_LINKS) if url not in material.text]:
        yield f"These links of the HTML content are not in the text content: {listed(lost)}. Write them there, too."
    wanted, said = _words(text_from_html(material.html)), _words(material.text)
    if len(wanted) >= FEWEST_WORDS and len(wanted & said) < len(wanted) / 2:
        yield (
            f"Of {len(wanted):,} different words of the HTML content, {len(wanted & said):,} are in the text content: "
            "it seems to say something else. Compare them, or empty the text to have it made from the HTML."
        )


def _words(text: str) -> set[str]:
    """Different words of four letters and more, without expressions and addresses."""
    return set(_WORD.findall(_NO_WORDS.sub(" ", text).lower()))


@check("Text content without HTML", order=42)
def text_is_no_html(material: Material) -> Iterator[str]:
    """In the text content tags are shown as they are written."""
    if tag := _TAG.search(material.delivery.text):
        yield f"The text content has HTML in it: “{tag[0]}”. Write it without tags."


@check("Additional SMTP headers", order=70, level=CheckLevel.INFO)
def headers_are_tidy(material: Material) -> Iterator[str]:
    """What is wrong in the headers stops the analysis by itself; this is what is merely not tidy."""
    if material.compiled is None:
        return
    taken = taken_headers(material.delivery.reply_address)
    for finding in findings(material.compiled.smtp_headers, taken=taken):
        if not finding.blocks:
            yield f"In the additional SMTP headers, line {finding.line}: {finding.sentence}"
