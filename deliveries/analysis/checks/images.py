"""The images: whether they arrive, and what people have who do not see them."""

import re
from collections.abc import Iterator
from typing import Final

from bs4 import Tag
from bs4.element import NavigableString

from deliveries.analysis.checks.registry import check
from deliveries.analysis.checks.words import listed
from deliveries.analysis.material import Material
from deliveries.models import AttachmentRole, CheckLevel

HEAVY: Final = 200_000
"""Octets of one image that travels inside the message."""
HEAVY_TOGETHER: Final = 1_000_000
LEAST_WORDS: Final = 20
RARE_FORMATS: Final = (".svg", ".webp", ".avif", ".heic", ".tif", ".tiff", ".bmp")

_MASK = "\ue000"


@check("Images inside the message", order=50, level=CheckLevel.ERROR)
def images_inside_are_attached(material: Material) -> Iterator[str]:
    """``cid:`` names an image that travels with the message (RFC 2392)."""
    attached = set(material.delivery.attachments.exclude(content_id="").values_list("content_id", flat=True))
    named = [url.removeprefix("cid:") for url in _sources(material) if url.startswith("cid:")]
    if missing := sorted({name for name in named if name not in attached and _MASK not in name}):
        yield (
            f"No image with the identifier {listed(missing)} is attached. Add it under “Attachments”, or correct the "
            "address in the HTML content."
        )


@check("Images that mail programs show", order=51)
def images_are_shown(material: Material) -> Iterator[str]:
    """Not everything that a browser shows is shown in a mail."""
    sources = _sources(material)
    if any(url.startswith("data:") for url in sources):
        yield (
            "An image is written into the HTML itself (data:), which Gmail and Outlook do not show. Add it under "
            "“Attachments” as an image inside the content, or put it on a web server."
        )
    if rare := [url for url in sources if re.split(r"[?#]", url)[0].lower().endswith(RARE_FORMATS)]:
        yield f"Some mail programs do not show images of this format: {listed(rare)}. Use PNG, JPEG or GIF."


@check("Alt texts of images", order=52)
def images_have_alt_texts(material: Material) -> Iterator[str]:
    """Many people see no images, or only after a click; some have them read aloud."""
    silent = [_written(material, image) for image in _images(material) if not image.has_attr("alt") and _is_seen(image)]
    if silent:
        yield (
            f'These images have no alt text: {listed(silent)}. Say in a few words what they show, or write alt="" for '
            "mere decoration."
        )


@check("Sizes of images", order=53, level=CheckLevel.INFO)
def images_have_sizes(material: Material) -> Iterator[str]:
    """Without a width, Outlook shows an image as large as it is, and the text jumps while images arrive."""
    free = [_written(material, image) for image in _images(material) if not _has_width(image)]
    if free:
        yield f'These images have no width: {listed(free)}. Write width="…" in pixels.'


@check("Weight of images", order=54)
def images_are_light(material: Material) -> Iterator[str]:
    """Every recipient downloads what travels inside the message, on phones as well."""
    inside = list(
        material.delivery.attachments.filter(role=AttachmentRole.INLINE).order_by("name").values_list("name", "size")
    )
    if heavy := [f"{name} ({size / 1000:,.0f} kB)" for name, size in inside if size > HEAVY]:
        yield f"These images are heavy: {listed(heavy)}. Make each smaller than {HEAVY // 1000} kB."
    if (total := sum(size for _, size in inside)) > HEAVY_TOGETHER:
        yield (
            f"The images inside the message weigh {total / 1_000_000:.1f} MB together. Make them smaller, or put them "
            "on a web server."
        )


@check("Words beside images", order=55)
def content_has_words(material: Material) -> Iterator[str]:
    """A message that is one large image is empty where images are off, and is what spam looks like."""
    soup = material.reading.soup
    if soup.find("img") is None:
        return
    seen = (text for text in soup.find_all(string=True) if type(text) is NavigableString)  # no style, no comment
    words = re.findall(r"\w+", " ".join(seen))
    if len(words) < LEAST_WORDS:
        yield (
            f"Beside its images the HTML content has {len(words)} words. Write what they say as text, too: many people "
            "see no images."
        )


def _images(material: Material) -> list[Tag]:
    return list(material.reading.soup.find_all("img"))


def _sources(material: Material) -> list[str]:
    return [str(image.get("src") or "").strip() for image in _images(material)]


def _written(material: Material, image: Tag) -> str:
    return material.reading.written(str(image.get("src") or "").strip()) or "an image without an address"


def _is_seen(image: Tag) -> bool:
    """A pixel that counts is nothing to look at."""
    return not ({str(image.get("width")), str(image.get("height"))} & {"0", "1"})


def _has_width(image: Tag) -> bool:
    return image.has_attr("width") or bool(re.search(r"(?<![\w-])(?:max-)?width\s*:", str(image.get("style") or "")))
