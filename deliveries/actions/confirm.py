"""Confirm an analysed delivery: the moment after which mail leaves."""

from django.db import transaction

from campaign.lib.clock import now
from deliveries.actions.base import ActionRefused
from deliveries.actions.edit import STALE_NOTE, edited
from deliveries.analysis.fingerprint import is_stale
from deliveries.archiving.policy import archive_of
from deliveries.models import Delivery
from deliveries.moves import Actor, move, write_journal
from deliveries.queue import announce_work
from deliveries.sending.schedule import schedule
from deliveries.states import DeliveryState


def confirm(delivery: Delivery, *, by: Actor = None) -> None:
    """Start a delivery that is ready.

    Raises :class:`ActionRefused` when content or target changed since the analysis (the delivery then is being edited
    again), and :class:`deliveries.states.MoveRefused` when it is in another state.
    """
    if delivery.current_state is DeliveryState.READY and is_stale(delivery):
        edited(delivery, by=by)
        raise ActionRefused(STALE_NOTE)
    at = now()
    start = max(delivery.contact_at or at, at)
    if delivery.ends(start) <= start:
        raise ActionRefused("The end of the delivery has passed. Choose a later one in the tab “Validity”.")
    archive = archive_of(delivery)
    with transaction.atomic():
        Delivery.objects.filter(pk=delivery.pk).update(archive=archive, archive_emails=archive is not None)
        move(
            delivery,
            DeliveryState.IN_PROGRESS,
            started_at=at,
            valid_until=delivery.ends(start),
            resources_until=delivery.resources_end(start),
        )
        schedule(delivery, start, at)
        write_journal(delivery.pk, f"Delivery confirmed: {delivery.to_deliver:,} messages to send.", by=by)
        announce_work()
