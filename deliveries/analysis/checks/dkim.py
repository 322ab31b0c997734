"""The DKIM keys of the sender's domain."""

from collections.abc import Iterator

from campaign.lib.sealing import SealBroken
from deliveries.analysis.checks.registry import Finding, check
from deliveries.keys import signer, signing_keys
from deliveries.models import Delivery, Level
from recipients.addresses import AddressError, ascii_domain


@check
def sender_domain_has_a_key(delivery: Delivery) -> Iterator[Finding]:
    """Unsigned mail from a bulk sender is refused or filed as spam by the large mailbox providers."""
    keys = signing_keys(delivery.sender_address)
    if not keys and (sentence := _why_unsigned(delivery.sender_address.strip().rpartition("@")[2])):
        yield Finding(Level.WARNING, sentence)
    for key in keys:
        try:
            signer(key.pk)
        except SealBroken as error:
            yield Finding(Level.ERROR, str(error))


def _why_unsigned(domain: str) -> str:
    if "{" in domain or "}" in domain:
        return (
            "The messages will not be signed: the domain of the sender address is personalized. Write the domain out."
        )
    try:
        ascii_domain(domain)
    except AddressError:  # another check says what is wrong with the address
        return ""
    return (
        f"The messages will not be signed: there is no active DKIM key for {domain}. "
        "Make one under “DKIM keys”, publish its DNS record, and analyse again."
    )
