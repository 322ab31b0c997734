"""Images and links that would not arrive."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from deliveries.analysis.checks.registry import check
from deliveries.analysis.material import Material
from deliveries.models import CheckLevel

MOST_NAMED = 5
SCHEMES = frozenset({"http", "https", "mailto", "tel", "sms", "data", "cid"})


@check("Images inside the message", order=50, level=CheckLevel.ERROR)
def images_inside_are_attached(material: Material) -> Iterator[str]:
    """``cid:`` names an image that travels with the message (RFC 2392)."""
    attached = set(material.delivery.attachments.exclude(content_id="").values_list("content_id", flat=True))
    named = [url.removeprefix("cid:") for url in _addresses(material, "src") if url.startswith("cid:")]
    if missing := sorted({name for name in named if name not in attached and "\ue000" not in name}):
        yield (
            f"No image with the identifier {_listed(missing)} is attached. Add it under “Attachments”, or correct the "
            "address in the HTML content."
        )


@check("Complete addresses", order=30)
def addresses_are_complete(material: Material) -> Iterator[str]:
    """A mail has no page that an address without https:// could belong to."""
    addresses = [*_addresses(material, "src"), *_addresses(material, "href")]
    # One that begins with an expression is complete only when its value is.
    incomplete = sorted({url for url in addresses if url and url[0] not in "#\ue000" and not _is_complete(url)})
    if incomplete:
        yield (
            f"These addresses are not complete and lead nowhere from a mail: {_listed(incomplete)}. "
            "Begin them with https://."
        )


def _addresses(material: Material, attribute: str) -> list[str]:
    return [str(tag[attribute]).strip() for tag in material.reading.soup.find_all(lambda tag: tag.has_attr(attribute))]


def _is_complete(url: str) -> bool:
    try:
        return urlsplit(url).scheme.lower() in SCHEMES
    except ValueError:
        return False


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(f"“{name[:80]}”" for name in names[:MOST_NAMED]) + more
