"""The ways out."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

from deliveries.analysis.checks.registry import Finding, check
from deliveries.analysis.material import Material
from deliveries.models import Level

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


@check("One-click unsubscription", order=62)
def one_click_is_offered(material: Material) -> Iterator[str | Finding]:
    """Mailbox providers want a button of their own in every bulk mail (RFC 8058); it takes an https address."""
    base = urlsplit(settings.PUBLIC_URL)
    if _is_near(base.hostname or ""):
        yield Finding(
            Level.INFO,
            f"Links of the messages begin with {settings.PUBLIC_URL}, which strangers cannot reach. Before real "
            "people get them, the operator sets PUBLIC_URL.",
        )
    elif base.scheme != "https":
        yield (
            f"Mail programs cannot offer one-click unsubscription, because links of the messages begin with "
            f"{settings.PUBLIC_URL}. The operator sets PUBLIC_URL to an https address."
        )


def _is_near(host: str) -> bool:
    """This machine, or a name that means something in this network only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return "." not in host


def _leads_out(written: str) -> bool:
    return bool(_ADDRESS.search(written) or _OWN_WORDS.search(written))
