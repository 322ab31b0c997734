"""The sender and reply addresses."""

import re
from collections.abc import Iterator
from typing import Final

from django.conf import settings

from deliveries.analysis.checks.registry import check
from deliveries.analysis.material import Material
from deliveries.models import CheckLevel
from recipients.addresses import AddressError, normalise

MAILBOX_PROVIDERS: Final = frozenset(
    {
        "aol.com", "gmail.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "icloud.com", "live.com",
        "mac.com", "mail.ru", "me.com", "msn.com", "outlook.com", "proton.me", "protonmail.com", "qq.com",
        "t-online.de", "web.de", "yahoo.com", "yahoo.de", "yahoo.fr", "yandex.ru", "ymail.com",
    }
)  # fmt: skip
_NOBODY = re.compile(r"(?:no|do-?not|ne-?pas)-?_?(?:reply|repondre)|nicht-?antworten", re.IGNORECASE)


@check("Sender address", required=True)
def sender_is_present(material: Material) -> Iterator[str]:
    """Mail needs a From address (RFC 5322, section 3.6.2)."""
    if not material.delivery.sender_address.strip():
        yield "The sender address is missing. Write one in the field “Sender address”."


@check("Sender and reply addresses", required=True)
def addresses_are_valid(material: Material) -> Iterator[str]:
    """Fixed addresses must be well formed; personalized ones are checked with each message."""
    for label, address in _addresses(material):
        if "{" in address:
            continue
        try:
            normalise(address)
        except AddressError as error:
            yield f"{label.capitalize()}: {error}"


@check("Domains of sender and reply address", order=20, level=CheckLevel.ERROR)
def domains_are_allowed(material: Material) -> Iterator[str]:
    """The platform may say which domains its senders write from (SENDER_DOMAINS)."""
    allowed = [name.lower().rstrip(".") for name in settings.SENDER_DOMAINS]
    if not allowed:
        return
    for label, address in _addresses(material):
        domain = address.rpartition("@")[2].lower()
        if not any(domain == name or domain.endswith(f".{name}") for name in allowed):
            yield (
                f"The {label} may not be at {domain or address}. Allowed: {', '.join(sorted(allowed))}. Write an "
                "address at one of these domains."
            )


@check("Sender at a mailbox provider", order=21)
def sender_has_a_domain_of_its_own(material: Material) -> Iterator[str]:
    """Mailbox providers tell others to refuse mail from their addresses that they did not send (DMARC)."""
    domain = material.delivery.sender_address.strip().rpartition("@")[2].lower()
    if domain in MAILBOX_PROVIDERS:
        yield (
            f"The sender address is at {domain}, which lets nobody else send from its addresses: most messages will be "
            "refused. Write an address at a domain of your own."
        )


@check("Answers to the sender", order=22, level=CheckLevel.INFO)
def answers_are_read(material: Material) -> Iterator[str]:
    """People answer, also to say that they want no more."""
    delivery = material.delivery
    address = delivery.reply_address.strip() or delivery.sender_address.strip()
    if _NOBODY.match(address):
        yield (
            f"Answers go to {address}, where nobody seems to read them. Name a reply address that somebody reads: "
            "people write there before they complain."
        )


def _addresses(material: Material) -> Iterator[tuple[str, str]]:
    delivery = material.delivery
    for label, address in (("sender address", delivery.sender_address), ("reply address", delivery.reply_address)):
        if address.strip():
            yield label, address.strip()
