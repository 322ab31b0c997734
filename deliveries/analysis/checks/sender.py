"""The sender and reply addresses."""

from collections.abc import Iterator

from deliveries.analysis.checks.registry import Finding, check
from deliveries.models import Delivery, Level
from recipients.addresses import AddressError, normalise


@check
def sender_is_present(delivery: Delivery) -> Iterator[Finding]:
    """Mail needs a From address (RFC 5322, section 3.6.2)."""
    if not delivery.sender_address.strip():
        yield Finding(Level.ERROR, "The sender address is missing. Write one in the field “Sender address”.")


@check
def addresses_are_valid(delivery: Delivery) -> Iterator[Finding]:
    """Fixed addresses must be well formed; personalized ones are checked with each message."""
    for label, address in (("Sender address", delivery.sender_address), ("Reply address", delivery.reply_address)):
        if not address.strip() or "{" in address:
            continue
        try:
            normalise(address)
        except AddressError as error:
            yield Finding(Level.ERROR, f"{label}: {error}")
