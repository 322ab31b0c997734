"""The subject."""

from collections.abc import Iterator

from deliveries.analysis.checks.registry import check
from deliveries.analysis.material import Material
from deliveries.models import CheckLevel


@check("Subject", order=10, level=CheckLevel.ERROR)
def subject_is_present(material: Material) -> Iterator[str]:
    """A mail without subject reads as spam and is refused by some servers."""
    if not material.delivery.subject.strip():
        yield "The subject is missing. Write one in the field “Subject”."
