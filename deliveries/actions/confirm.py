"""Confirm an analysed delivery: the moment after which mail leaves, at once or at the contact date."""

from collections.abc import Collection

from django.db import transaction

from campaign.lib.clock import now
from campaign.lib.dates import spelled
from deliveries.actions.base import ActionRefused
from deliveries.actions.edit import STALE_NOTE, edited
from deliveries.analysis.fingerprint import is_stale
from deliveries.archiving.policy import archive_of
from deliveries.models import Delivery, JournalLine, Level
from deliveries.moves import Actor, move, write_act
from deliveries.queue import announce_work
from deliveries.sending.schedule import schedule
from deliveries.states import DeliveryState
from deliveries.wishes import hold_back_late


def warnings_of(delivery: Delivery) -> list[JournalLine]:
    """What the last analysis warns of; whoever confirms acknowledges each."""
    return list(delivery.journal.filter(level=Level.WARNING).order_by("pk"))


def confirm(delivery: Delivery, *, acknowledged: Collection[int] = (), by: Actor = None) -> None:
    """Start a delivery that is ready; ``acknowledged`` are the ids of the warnings that the person has read.

    Raises :class:`ActionRefused` when a warning was not acknowledged, when the end has passed, and when content or
    target changed since the analysis (the delivery then is being edited again), and
    :class:`deliveries.states.MoveRefused` when it is in another state.
    """
    if delivery.current_state is DeliveryState.READY and is_stale(delivery):
        edited(delivery, by=by)
        raise ActionRefused(STALE_NOTE)
    at = now()
    start = max(delivery.first_contact_at or at, at)
    if delivery.ends(start) <= start:
        raise ActionRefused("The end of the delivery has passed. Choose a later one in the tab “Validity”.")
    warnings = warnings_of(delivery) if delivery.current_state is DeliveryState.READY else []
    if unread := [line for line in warnings if line.pk not in acknowledged]:
        raise ActionRefused(f"Not confirmed: acknowledge each warning of the analysis first. {unread[0].sentence}")
    archive = archive_of(delivery)
    later = start > at
    with transaction.atomic():
        Delivery.objects.filter(pk=delivery.pk).update(archive=archive, archive_emails=archive is not None)
        move(
            delivery,
            DeliveryState.START_PENDING if later else DeliveryState.IN_PROGRESS,
            note=f"The start is scheduled for {spelled(start)}." if later else "",
            started_at=None if later else at,
            starts_at=start,
            valid_until=delivery.ends(start),
            resources_until=delivery.resources_end(start),
        )
        schedule(delivery, start, at)
        hold_back_late(delivery)
        for line in warnings:
            write_act(delivery, f"Acknowledged the warning: {line.sentence}", by=by)
        when = f"; they leave from {spelled(start)} on" if later else ""
        write_act(delivery, f"Delivery confirmed: {delivery.to_deliver:,} messages to send{when}.", by=by)
        announce_work()
