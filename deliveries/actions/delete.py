"""Delete a delivery that has sent nothing."""

from django.db import transaction
from django.db.models import Q

from deliveries.actions.base import ActionRefused
from deliveries.analysis import freeze
from deliveries.models import Delivery
from deliveries.moves import Actor, write_audit
from deliveries.states import EDITABLE, DeliveryState
from recipients.imports.people_file import forget
from recipients.models import PeopleFile

PROOF_IS_OVER = frozenset({*EDITABLE, DeliveryState.STOPPED, DeliveryState.FINISHED})
"""States in which a proof does not keep its delivery from being deleted."""


@transaction.atomic
def delete(delivery: Delivery, *, by: Actor = None) -> None:
    """Delete a delivery with everything its analysis wrote, and its proofs.

    Raises :class:`ActionRefused` once it has started (its log and mirror pages are needed), while it is being analysed,
    and while a proof of it is on its way.
    """
    locked = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if locked.current_state not in EDITABLE:
        raise ActionRefused(f"“{locked.label}” is “{locked.current_state.label}” and cannot be deleted.")
    under_way = locked.proofs.exclude(state__in=PROOF_IS_OVER)
    if proof := under_way.first():
        raise ActionRefused(f"“{proof.label}” is “{proof.current_state.label}”. Wait for its end, or stop it first.")
    for each in (locked, *locked.proofs.all()):
        freeze.forget(each.pk)
    write_audit(locked, "Deleted.", by=by)
    files = list(PeopleFile.objects.filter(Q(deliveries=locked) | Q(deliveries__proof_of=locked)).distinct())
    locked.delete()
    for file in files:
        if not file.deliveries.exists():
            forget(file)
