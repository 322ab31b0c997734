"""The approval modes in which a good analysis is enough."""

from deliveries.actions.base import ActionRefused, MoveRefused
from deliveries.actions.confirm import named, refuse_stale, start, warnings_of
from deliveries.models import ApprovalMode, Delivery, Level
from deliveries.moves import write_journal
from deliveries.rights import rights_of


def start_by_itself(delivery: Delivery) -> bool:
    """Confirm a delivery that has just become ready, when its approval mode says so; whether it was.

    It stays ready, and the journal says why, when there are warnings in semi-automatic mode or when the person who
    asked for the analysis may not start it. Nobody acknowledges warnings in automatic mode: the audit trail says so for
    each. A proof always starts: it was asked for, and its warnings are there to be read.
    """
    if delivery.proof_of_id is None and delivery.approval_mode == ApprovalMode.MANUAL:
        return False
    if reason := _obstacle(delivery):
        write_journal(delivery.pk, f"Not started by itself: {reason}", level=Level.INFO)
        return False
    try:
        refuse_stale(delivery, by=delivery.analysed_by)
        start(delivery, _passed_over(delivery), by=delivery.analysed_by)
    except (ActionRefused, MoveRefused) as refused:
        write_journal(delivery.pk, f"Not started by itself: {refused}", level=Level.INFO)
        return False
    return True


def _obstacle(delivery: Delivery) -> str:
    if delivery.proof_of_id is not None:
        return ""
    if delivery.approval_mode == ApprovalMode.SEMI and (warnings := warnings_of(delivery)):
        return f"the analysis raised {len(warnings):,} warning{'s' if len(warnings) != 1 else ''}. Confirm it yourself."
    if delivery.analysed_by is not None and not rights_of(delivery.analysed_by, delivery).start:
        return f"{delivery.analysed_by} may analyse it but not start it. Somebody who may start it confirms."
    return ""


def _passed_over(delivery: Delivery) -> list[str]:
    """A sentence for each warning that nobody was asked about; a proof has them in its journal already."""
    if delivery.proof_of_id is not None:
        return []
    return [f"Nobody was asked about {named(line)} (automatic approval)" for line in warnings_of(delivery)]
