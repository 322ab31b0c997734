"""The sender and reply addresses."""

from collections.abc import Iterator

from deliveries.analysis.checks.registry import check
from deliveries.analysis.material import Material
from recipients.addresses import AddressError, normalise


@check("Sender address", required=True)
def sender_is_present(material: Material) -> Iterator[str]:
    """Mail needs a From address (RFC 5322, section 3.6.2)."""
    if not material.delivery.sender_address.strip():
        yield "The sender address is missing. Write one in the field “Sender address”."


@check("Sender and reply addresses", required=True)
def addresses_are_valid(material: Material) -> Iterator[str]:
    """Fixed addresses must be well formed; personalized ones are checked with each message."""
    delivery = material.delivery
    for label, address in (("Sender address", delivery.sender_address), ("Reply address", delivery.reply_address)):
        if not address.strip() or "{" in address:
            continue
        try:
            normalise(address)
        except AddressError as error:
            yield f"{label}: {error}"
