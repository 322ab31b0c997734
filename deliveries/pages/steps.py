"""The way from an empty delivery to a running one, as steps that show where one is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.urls import reverse

from deliveries.analysis.content_fingerprint import content_fingerprint
from deliveries.models import Delivery, Variant
from deliveries.states import STARTED, DeliveryState


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way."""

    label: str
    done: bool
    url: str
    note: str = ""
    passed: bool = False
    """Whether the way has gone on without it."""


@dataclass(frozen=True, slots=True)
class Way:
    """All steps, and the number (from 0) of the first that is to be done."""

    steps: Sequence[Step]
    current: int


def way_of(delivery: Delivery, *, has_target: bool, proof_fingerprint: str) -> Way:
    """The steps of a delivery; ``proof_fingerprint`` is that of its last proof that was sent, if any."""

    def to(name: str, *rest: str, query: str = "") -> str:
        return reverse(f"admin:deliveries_delivery_{name}", args=[delivery.pk, *rest]) + query

    state = delivery.current_state
    confirmed = state in STARTED or state is DeliveryState.START_PENDING
    analysed = confirmed or state is DeliveryState.READY
    fresh = bool(proof_fingerprint) and proof_fingerprint in _faces(delivery)
    tested = fresh or (confirmed and bool(proof_fingerprint))
    left_out = confirmed and not tested
    proof_note = "" if tested else "Left out" if left_out else "Changed since" if proof_fingerprint else "Recommended"
    written = bool(delivery.subject and delivery.sender_address and (delivery.html.strip() or delivery.text.strip()))
    steps = [
        Step("Content", written, to("change")),
        Step("Target", has_target, to("change", query="#target")),
        Step("Proof", tested, "" if left_out else to("proof"), proof_note, passed=left_out),
        Step("Analysis", analysed, to("dashboard", query="#journal")),
        Step("Confirmation", confirmed, to("question", "confirm") if state is DeliveryState.READY else ""),
        Step("Follow-up", state in {DeliveryState.FINISHED, DeliveryState.STOPPED}, to("log") if confirmed else ""),
    ]
    ahead = (number for number, step in enumerate(steps) if not step.done and not step.passed)
    return Way(steps, next(ahead, len(steps)))


def _faces(delivery: Delivery) -> Iterator[str]:
    """The fingerprint of what a proof can show: the delivery, and each variant of its A/B test."""
    yield content_fingerprint(delivery)
    for variant in Variant.objects.filter(test__delivery=delivery):
        yield content_fingerprint(variant.of(delivery))
