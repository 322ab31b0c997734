"""The ways out."""

import re
from collections.abc import Iterator

from deliveries.analysis.checks.registry import check
from deliveries.analysis.material import Material

_ADDRESS = re.compile(r"\bmessage\s*(?:\.\s*unsubscribe_url\b|\[\s*['\"]unsubscribe_url)")
_OWN_WORDS = re.compile(
    r"unsubscri|opt-?out|d[ée]s(?:abonn|inscri)|abmeld|abbestell|cancelar-suscrip|baja", re.IGNORECASE
)
INSERT = "Insert the block “Unsubscription link”: {% include 'unsubscribe_link' %}."


@check("Unsubscription link in the HTML content", order=60)
def html_offers_unsubscription(material: Material) -> Iterator[str]:
    """People who find no way out press the spam button; in most countries the link is the law."""
    urls = [link.url for link in material.links]
    if material.html.strip() and not any(_leads_out(url) for url in urls):
        yield f"The HTML content has no unsubscription link. {INSERT}"


@check("Unsubscription link in the text content", order=61)
def text_offers_unsubscription(material: Material) -> Iterator[str]:
    """Some people read the text part only; they want to leave as well."""
    if material.text.strip() and not _leads_out(material.text):
        yield f"The text content has no unsubscription link. {INSERT}"


def _leads_out(written: str) -> bool:
    return bool(_ADDRESS.search(written) or _OWN_WORDS.search(written))
