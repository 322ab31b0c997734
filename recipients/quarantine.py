"""Addresses that must not be written to because they fail."""

from recipients.addresses import key
from recipients.models import Quarantine, QuarantineStatus


def add(address: str, *, reason: str, text: str = "") -> Quarantine:
    """Put an address in quarantine, in whatever case it is written.

    Raises :class:`recipients.addresses.AddressError`.
    """
    record, _ = Quarantine.objects.update_or_create(
        address_key=key(address),
        defaults={"status": QuarantineStatus.QUARANTINE, "reason": reason[:100], "text": text},
    )
    return record


def release(record: Quarantine) -> None:
    """Allow an address again; the record stays as history."""
    record.status = QuarantineStatus.RELEASED
    record.save(update_fields=["status", "updated_at"])
