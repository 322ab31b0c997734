"""Proofs: that one was sent, of what is there now, and not to too many."""

from collections.abc import Iterator

from django.db.models import QuerySet

from deliveries.analysis.checks.registry import check
from deliveries.analysis.content_fingerprint import content_fingerprint
from deliveries.analysis.material import Material
from deliveries.models import CheckLevel, Delivery
from deliveries.models.proof import MOST_LINES


@check("Size of a proof", required=True)
def proof_is_small(material: Material) -> Iterator[str]:
    """A proof to a crowd is a mailing that nobody approved."""
    if material.delivery.proof_of_id is None:
        return
    if (lines := material.delivery.proof_lines.count()) > MOST_LINES:
        yield f"This proof has {lines:,} messages; {MOST_LINES} are possible. Send another one to fewer addresses."


@check("Proof before the start", order=75, level=CheckLevel.INFO)
def proof_was_sent(material: Material) -> Iterator[str]:
    """Somebody else sees what its author overlooks."""
    if material.delivery.proof_of_id is None and _last_sent(material.delivery) is None:
        yield "No proof was sent. Send one to somebody who reads it as a recipient does."


@check("Proof of the present content", order=76)
def proof_is_current(material: Material) -> Iterator[str]:
    """What was changed after the last proof has been seen by nobody but its author."""
    last = _last_sent(material.delivery)
    if last is None:
        return
    # The last one may show another variant of an A/B test; each has proofs of its own.
    present = content_fingerprint(material.delivery)
    if not _sent(material.delivery).filter(proof_fingerprint=present).exists():
        yield f"The content was changed after proof #{last.proof_number}. Send another proof."


def _last_sent(delivery: Delivery) -> Delivery | None:
    """The newest proof of which a message left."""
    return _sent(delivery).only("proof_number").order_by("-proof_number").first()


def _sent(delivery: Delivery) -> QuerySet[Delivery]:
    return delivery.proofs.filter(parts__sent__gt=0)
