"""The DKIM keys of the sender's domain."""

from collections.abc import Iterator

from campaign.lib.sealing import SealBroken
from deliveries.analysis.checks.registry import check
from deliveries.analysis.material import Material
from deliveries.keys import signer, signing_keys
from recipients.addresses import AddressError, ascii_domain


@check("DKIM keys can be read", required=True)
def keys_can_be_read(material: Material) -> Iterator[str]:
    """A message whose signature cannot be made cannot be sent."""
    for key in signing_keys(material.delivery.sender_address):
        try:
            signer(key.pk)
        except SealBroken as error:
            yield str(error)


@check("DKIM signature", order=25)
def sender_domain_has_a_key(material: Material) -> Iterator[str]:
    """Unsigned mail from a bulk sender is refused or filed as spam by the large mailbox providers."""
    address = material.delivery.sender_address
    domain = address.strip().rpartition("@")[2]
    if not signing_keys(address) and (sentence := _why_unsigned(domain)):
        yield sentence


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
