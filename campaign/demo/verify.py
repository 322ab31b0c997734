"""The proof at the end of the demo: every message arrived, and every mirror page is the HTML of its mail."""

import email
import email.policy
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from threading import local
from urllib.parse import urlsplit

from campaign.demo.story import unpack_mail
from deliveries.models import Delivery, Message

_MIRROR = re.compile(r"https?://[^\s\"'<>]+/m/[A-Za-z0-9_-]{38}")


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found: mails that arrived, addresses that miss theirs or got it twice, mirror pages that
    differ, mails without their own header, and mails that the archive does not have to the octet."""

    arrived: int
    missing: tuple[str, ...]
    repeated: tuple[str, ...]
    different: tuple[str, ...]
    without_header: tuple[str, ...]
    without_copy: tuple[str, ...]
    first_mirror_url: str

    @property
    def holds(self) -> bool:
        """Nothing is missing, repeated or different; each mail has its header, and its copy to the octet."""
        return not (self.missing or self.repeated or self.different or self.without_header or self.without_copy)


def verify(delivery: Delivery, mails: Path, archive: Path) -> Verification:
    """Compare the delivery log with the received mails, each mail's HTML with its mirror page over HTTP, and each mail
    with its copy."""
    expected = set(Message.objects.of_delivery(delivery.pk).values_list("address", flat=True))
    found = list(_received(mails))
    received = [(address, html) for address, html, _, _ in found]
    archived = {hashlib.sha256(unpack_mail(path)).digest() for path in archive.glob("*/*.eml")}
    counts = Counter(address for address, _ in received)
    with ThreadPoolExecutor(4) as pool:
        mirrors = list(pool.map(lambda mail: _mirror_of(mail[1]), received))
    different = [address for (address, _), (_, same) in zip(received, mirrors, strict=True) if not same]
    return Verification(
        arrived=len(received),
        missing=tuple(sorted(expected - counts.keys())),
        repeated=tuple(sorted(address for address, count in counts.items() if count > 1)),
        different=tuple(different),
        without_header=tuple(address for address, _, reader, _ in found if not reader),
        without_copy=tuple(address for address, _, _, octets in found if octets not in archived),
        first_mirror_url=next((url for url, _ in mirrors if url), ""),
    )


def _received(mails: Path) -> Iterator[tuple[str, str, str, bytes]]:
    """Address, HTML, own header and hash of every mail, read by Python's own parser, which shares nothing with ours."""
    for path in sorted(mails.glob("*/*.eml")):
        octets = unpack_mail(path)
        message = email.message_from_bytes(octets, policy=email.policy.default)
        part = message.get_body(("html",))
        address = message["To"].addresses[0].addr_spec
        html = part.get_content() if part is not None else ""
        yield address, html, message["X-Demo-Reader"] or "", hashlib.sha256(octets).digest()


_connections = local()


def _mirror_of(html: str) -> tuple[str, bool]:
    """Address of the mirror page that the mail links to, and whether it shows the mail's HTML."""
    found = _MIRROR.search(html)
    if not found:
        return "", False
    parts = urlsplit(found[0])
    if not hasattr(_connections, "web"):
        _connections.web = HTTPConnection(parts.hostname or "", parts.port)
    _connections.web.request("GET", parts.path)
    response = _connections.web.getresponse()
    page = response.read().decode()
    return found[0], response.status == 200 and page.splitlines() == html.splitlines()
