"""Which DKIM keys sign a sender's mails, and the signers they make."""

from functools import lru_cache

from deliveries.models import Algorithm, DkimKey
from deliveries.rendering.dkim import Signer, private_key
from recipients.addresses import AddressError, ascii_domain


def signing_keys(sender_address: str) -> list[DkimKey]:
    """The active keys for a sender address, at most one of each algorithm, RSA first.

    They belong to the address's own domain, or else to the nearest domain above it: that one is still aligned with the
    address under DMARC (RFC 7489, section 3.1.1). Of several keys the oldest signs, so that a new one can be published
    before the old one is retired. A domain that is personalized has no key.
    """
    lineage = _lineage(sender_address.strip().rpartition("@")[2])
    keys = list(DkimKey.objects.filter(domain__in=lineage, active=True).order_by("created_at", "pk"))
    for domain in lineage:
        if chosen := _oldest_of_each([key for key in keys if key.domain == domain]):
            return chosen
    return []


@lru_cache(maxsize=256)
def signer(key_id: int) -> Signer:
    """The signer of a key, which never changes, so a process reads each once.

    Raises :class:`campaign.lib.sealing.SealBroken` and :class:`DkimKey.DoesNotExist`.
    """
    key = DkimKey.objects.get(pk=key_id)
    return Signer(key.domain.encode(), key.selector.encode(), private_key(key.private_key))


def _lineage(domain: str) -> list[str]:
    """The domain in ASCII and those above it, down to two labels; none for what is no domain."""
    try:
        labels = ascii_domain(domain).split(".")
    except AddressError:
        return []
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def _oldest_of_each(keys: list[DkimKey]) -> list[DkimKey]:
    by_algorithm: dict[str, DkimKey] = {}
    for key in keys:
        by_algorithm.setdefault(key.algorithm, key)
    return [by_algorithm[algorithm] for algorithm in Algorithm.values if algorithm in by_algorithm]
