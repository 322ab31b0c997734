"""The subject."""

from collections.abc import Iterator

from deliveries.analysis.checks.registry import Finding, check
from deliveries.models import Delivery, Level


@check
def subject_is_present(delivery: Delivery) -> Iterator[Finding]:
    """A mail without subject reads as spam and is refused by some servers."""
    if not delivery.subject.strip():
        yield Finding(Level.ERROR, "The subject is missing. Write one in the field “Subject”.")
