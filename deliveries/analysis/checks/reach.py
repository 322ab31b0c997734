"""Whether links and images answer: asked over the network, so these checks are off until a typology asks for them."""

from collections.abc import Iterator, Sequence

from deliveries.analysis.checks.images import HEAVY
from deliveries.analysis.checks.links import addresses
from deliveries.analysis.checks.registry import Finding, check
from deliveries.analysis.checks.words import listed
from deliveries.analysis.material import Material
from deliveries.models import CheckLevel, Level
from deliveries.outside.visit import MOST_URLS

_FOR_PEOPLE_ONLY = frozenset({401, 403, 405, 406, 429, 999})
"""What servers answer that want no programs: it says nothing about what a person gets."""


@check("Links that answer", order=38, level=CheckLevel.OFF)
def links_answer(material: Material) -> Iterator[str | Finding]:
    """Each link of the content is opened once, from the worker, when somebody switches this on. Links with personal
    values and addresses in private networks are left alone."""
    urls = _fixed(material, "href")
    yield from _broken(material, urls, "links")
    if shut := [url for url in urls if material.answers(urls)[url].status in _FOR_PEOPLE_ONLY]:
        yield Finding(
            Level.INFO, f"These links do not let programs in, so nobody knows: {listed(shut)}. Open them yourself."
        )
    if (left := len(_all_fixed(material, "href")) - len(urls)) > 0:
        yield Finding(Level.INFO, f"{left} further links were not opened: {MOST_URLS} are, at most.")


@check("Images that answer", order=56, level=CheckLevel.OFF)
def images_answer(material: Material) -> Iterator[str | Finding]:
    """Each image on a web server is asked for once, when somebody switches this on: whether it is there, is an image,
    and what it weighs."""
    urls = _fixed(material, "src")
    yield from _broken(material, urls, "images")
    answers = material.answers(urls)
    there = [url for url in urls if 200 <= answers[url].status < 300]
    if other := [url for url in there if not answers[url].content_type.startswith("image/")]:
        yield f"These addresses give no image: {listed(other)}. Correct them."
    if heavy := [f"{url} ({answers[url].octets / 1000:,.0f} kB)" for url in there if answers[url].octets > HEAVY]:
        yield f"These images are heavy: {listed(heavy)}. Make each smaller than {HEAVY // 1000} kB."


def _broken(material: Material, urls: Sequence[str], what: str) -> Iterator[str]:
    answers = material.answers(urls)
    broken = [
        f"{url}: {answers[url].problem or f'answers {answers[url].status}'}"
        for url in urls
        if answers[url].problem or (answers[url].status >= 400 and answers[url].status not in _FOR_PEOPLE_ONLY)
    ]
    if broken:
        yield f"These {what} do not work: {listed(broken, longest=200)}. Open them, and correct them."


def _fixed(material: Material, attribute: str) -> list[str]:
    return _all_fixed(material, attribute)[:MOST_URLS]


def _all_fixed(material: Material, attribute: str) -> list[str]:
    """Web addresses that are the same for everybody."""
    written = (address.written for address in addresses(material, attribute) if "\ue000" not in address.masked)
    return [url for url in written if url.lower().startswith(("http://", "https://"))]
