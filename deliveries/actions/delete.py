"""Delete a delivery that has sent nothing."""

from django.db import transaction

from deliveries.actions.base import ActionRefused
from deliveries.analysis import freeze
from deliveries.models import Delivery
from deliveries.states import EDITABLE


@transaction.atomic
def delete(delivery: Delivery) -> None:
    """Delete a delivery with everything its analysis wrote.

    Raises :class:`ActionRefused` once it has started (its log and mirror pages are needed) or is being analysed.
    """
    locked = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if locked.current_state not in EDITABLE:
        raise ActionRefused(f"“{locked.label}” is “{locked.current_state.label}” and cannot be deleted.")
    freeze.forget(locked.pk)
    locked.delete()
