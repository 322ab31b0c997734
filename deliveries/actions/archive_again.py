"""Have every copy of a delivery made again."""

from django.db import transaction

from campaign.lib.clock import now
from deliveries.actions.base import ActionRefused
from deliveries.archiving.copies import note_missing
from deliveries.archiving.policy import archive_of
from deliveries.models import Delivery
from deliveries.moves import Actor, write_act


@transaction.atomic
def archive_again(delivery: Delivery, *, by: Actor = None) -> int:
    """Hand a copy of each sent message to the delivery's archive, whether it has one already or not.

    Returns how many. Raises :class:`ActionRefused` when the delivery has no archive, has not started, or its personal
    values are deleted.
    """
    archive = archive_of(delivery)
    if archive is None:
        raise ActionRefused("The delivery has no archive.")
    if delivery.started_at is None:
        raise ActionRefused("The delivery has not started; there is nothing to archive.")
    if delivery.values_purged_at is not None:
        raise ActionRefused("The personal values of this delivery are deleted; its messages cannot be made again.")
    count = note_missing(delivery, archive, now())
    write_act(delivery, f"{count:,} copies are made again for the archive “{archive}”.", by=by)
    return count
