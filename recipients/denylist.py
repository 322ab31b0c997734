"""People who asked not to be written to."""

from recipients.models import Denylist, Recipient


def deny(recipient: Recipient, *, source: str) -> bool:
    """Put a person on the denylist; returns whether they were not on it yet. The first wish is the one that is kept."""
    _, created = Denylist.objects.get_or_create(recipient=recipient, defaults={"source": source[:200]})
    return created


def allow(recipient: Recipient) -> bool:
    """Take a person off the denylist; returns whether they were on it."""
    deleted, _ = Denylist.objects.filter(recipient=recipient).delete()
    return bool(deleted)
