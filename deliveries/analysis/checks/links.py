"""The links: where they lead, and what readers see of them."""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from deliveries.analysis.checks.registry import check
from deliveries.analysis.checks.words import listed
from deliveries.analysis.material import Material
from deliveries.models import CheckLevel

SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "sms", "data", "cid"})
SHORTENERS: Final = frozenset(
    {"bit.ly", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "ow.ly", "rebrand.ly", "shorturl.at", "t.co", "t.ly", "tiny.cc",
     "tinyurl.com", "v.gd"}
)  # fmt: skip
"""Spammers hide behind them, so filters refuse whole messages for one such link."""
EXAMPLES: Final = ("example.com", "example.net", "example.org", "yourdomain.com", "your-domain.com")

_HELD = re.compile("\ue000(\\d+)\ue001")
_LOOKS_LIKE_A_HOST = re.compile(r"(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?:[/?#]\S*)?", re.IGNORECASE)
_OWN_PAGES = re.compile(r"\{\{-?\s*message\s*\.\s*(?:mirror_url|unsubscribe_url)\b")


@dataclass(frozen=True, slots=True)
class Address:
    """An address of the content: as written, and with a placeholder for each expression that is written out."""

    written: str
    masked: str

    @property
    def parts(self) -> SplitResult | None:
        """Its parts, or none when it cannot be read."""
        try:
            parts = urlsplit(self.masked)
            _ = parts.port  # which is read only when it is asked for
        except ValueError:
            return None
        return parts

    @property
    def host(self) -> str:
        """The host in small letters; empty for none."""
        return (self.parts.hostname or "") if self.parts else ""

    @property
    def is_our_own(self) -> bool:
        """The mirror page or the unsubscription page."""
        return bool(_OWN_PAGES.match(self.written))


def addresses(material: Material, *attributes: str) -> list[Address]:
    """Each different address in these attributes, in order; those that are nothing but an expression included."""
    reading = material.reading
    found: dict[str, Address] = {}
    for tag in reading.soup.find_all(lambda tag: any(tag.has_attr(name) for name in attributes)):
        for name in attributes:
            if tag.has_attr(name):
                masked = _without_statements(str(tag[name]).strip(), reading.held)
                written = reading.written(str(tag[name]).strip())
                found.setdefault(written, Address(written, masked))
    return list(found.values())


def _without_statements(masked: str, held: tuple[str, ...]) -> str:
    """Conditions and comments write nothing themselves."""
    return _HELD.sub(lambda match: match[0] if held[int(match[1])].startswith("{{") else "", masked)


@check("Complete addresses", order=30)
def addresses_are_complete(material: Material) -> Iterator[str]:
    """A mail has no page that an address without https:// could belong to."""
    found = addresses(material, "src", "href")
    # One that begins with an expression is complete only when its value is.
    incomplete = sorted(
        address.written
        for address in found
        if address.masked and address.masked[0] not in "#\ue000" and _is_bare(address)
    )
    if incomplete:
        yield (
            f"These addresses are not complete and lead nowhere from a mail: {listed(incomplete)}. "
            "Begin them with https://."
        )


def _is_bare(address: Address) -> bool:
    return address.parts is None or not address.parts.scheme


@check("Well-formed addresses", order=31)
def addresses_are_well_formed(material: Material) -> Iterator[str]:
    """Mail programs open web pages, and start a mail or a call; nothing else."""
    found = [address for address in addresses(material, "src", "href") if address.parts and address.parts.scheme]
    if other := [one.written for one in found if one.parts and one.parts.scheme.lower() not in SCHEMES]:
        yield f"Mail programs do not open these addresses: {listed(other)}. Use https://, mailto: or tel:."
    web = [one for one in found if one.parts and one.parts.scheme.lower() in {"http", "https"}]
    if hostless := [one.written for one in web if not one.host]:
        yield f"These addresses name no host: {listed(hostless)}. Write them as https://www.your-domain/page."
    if spaced := [one.written for one in web if re.search(r"\s", one.masked)]:
        yield f"There is a blank in these addresses: {listed(spaced)}. Remove it, or write %20."
    if user := [one.written for one in web if one.parts and "@" in one.parts.netloc]:
        yield f"These addresses name a user before an @ sign, as deceivers do: {listed(user)}. Remove the user."
    if private := [one.written for one in web if _is_private(one.host)]:
        yield f"Recipients cannot reach these addresses: {listed(private)}. Write the public ones."
    if short := [one.written for one in web if one.host in SHORTENERS]:
        yield f"Filters refuse shortened links, which spammers hide behind: {listed(short)}. Write the real ones."


def _is_private(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal", ".test", ".invalid")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


@check("Encrypted links", order=32, level=CheckLevel.INFO)
def links_are_encrypted(material: Material) -> Iterator[str]:
    """Browsers warn of pages without https, and anybody on the way can see and change them."""
    plain = [one.written for one in addresses(material, "src", "href") if one.masked.lower().startswith("http://")]
    if plain:
        yield f"These addresses are not encrypted: {listed(plain)}. Begin them with https:// if the site can do that."


@check("Fixed hosts", order=33, level=CheckLevel.ERROR)
def hosts_are_fixed(material: Material) -> Iterator[str]:
    """With a host out of somebody's data, a stranger could decide where the others' clicks go."""
    found = [address for address in addresses(material, "href") if not address.is_our_own]
    if personal := [address.written for address in found if _has_personal_host(address)]:
        yield (
            f"The host of these links is personalized: {listed(personal)}. Write the host out; what follows it may be "
            "personalized."
        )


def _has_personal_host(address: Address) -> bool:
    if address.masked.startswith("\ue000"):
        return True
    match = re.match(r"https?:/*([^/?#]*)", address.masked, re.IGNORECASE)
    return match is not None and "\ue000" in match[1]


@check("Label of each link", order=35)
def links_are_labelled(material: Material) -> Iterator[str]:
    """A link without words cannot be seen, read aloud, or told from others in the reports."""
    if bare := [link.url for link in material.links if not _HELD.sub("x", link.label).strip()]:
        yield (
            f"There is nothing to click on in these links: {listed(bare)}. Write words between <a> and </a>, or an alt "
            "text if it is an image."
        )


@check("Links that lead where they say", order=36)
def links_lead_where_they_say(material: Material) -> Iterator[str]:
    """A label with another address than the link's is how deceivers work, so filters and mail programs warn of it."""
    wrong = []
    for link in material.links:
        said = _LOOKS_LIKE_A_HOST.fullmatch(link.label.strip())
        host = _host(link.url)
        if said and host and _site(said[1].lower()) != _site(host):
            wrong.append(f"{link.label.strip()} leads to {host}")
    if wrong:
        yield f"Some links show one address and lead to another: {listed(wrong)}. Write words as their label."


@check("Links to nowhere", order=37, level=CheckLevel.INFO)
def links_are_finished(material: Material) -> Iterator[str]:
    """What stood in the template until the real address was known."""
    nowhere = [link.url or "an empty address" for link in material.links if link.url in {"", "#"}]
    nowhere += [link.url for link in material.links if _is_example(_host(link.url))]
    if nowhere:
        yield f"These links still have a placeholder: {listed(dict.fromkeys(nowhere))}. Write where they shall lead."


def _is_example(host: str) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in EXAMPLES)


def _host(url: str) -> str:
    if not url.lower().startswith(("http://", "https://")):
        return ""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return "" if "{" in host else host


def _site(host: str) -> str:
    """The two last labels: what a person takes for the site."""
    return ".".join(host.removeprefix("www.").split(".")[-2:])
