"""Confirm an analysed delivery: the moment after which mail leaves, at once or at the contact date."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from campaign.lib.clock import now
from campaign.lib.dates import spelled
from deliveries.actions.base import ActionRefused
from deliveries.actions.edit import STALE_NOTE, edited
from deliveries.analysis.checks import CHECKS
from deliveries.analysis.fingerprint import is_stale
from deliveries.archiving.policy import archive_of
from deliveries.models import Delivery, JournalLine, Level
from deliveries.moves import Actor, move, write_act
from deliveries.queue import announce_work
from deliveries.sending.schedule import schedule
from deliveries.states import DeliveryState, check_state
from deliveries.wishes import hold_back_late

CHANGED_NOTE = (
    "Not confirmed: the delivery was changed or analysed again after you looked at it. Look at its figures and "
    "warnings once more."
)


def warnings_of(delivery: Delivery) -> list[JournalLine]:
    """What the last analysis warns of; whoever confirms acknowledges each."""
    return list(delivery.journal.filter(level=Level.WARNING).order_by("pk"))


def check_label(line: JournalLine) -> str:
    """What people call the check that says so; empty for the analysis itself and for what people did."""
    check = CHECKS.get(line.check_key)
    return check.label if check else ""


def named(line: JournalLine) -> str:
    """The warning by name: the check that gives it, and what it says."""
    label = check_label(line)
    return f"the warning “{label}”: {line.sentence}" if label else f"the warning: {line.sentence}"


def confirm(
    delivery: Delivery, *, acknowledged: Collection[int] = (), seen: datetime | None = None, by: Actor = None
) -> None:
    """Start a delivery that is ready; ``acknowledged`` are the ids of the warnings that the person has read, ``seen``
    is the ``updated_at`` of what they looked at (that of ``delivery`` unless given).

    Raises :class:`ActionRefused` when a warning was not acknowledged, when the end has passed, when the delivery was
    changed after the person looked at it, and when content or target changed since the analysis (the delivery then is
    being edited again), and :class:`deliveries.states.MoveRefused` when it is in another state.
    """
    refuse_stale(delivery, by=by)
    with transaction.atomic():
        present = Delivery.objects.select_for_update().get(pk=delivery.pk)
        is_ready = present.current_state is DeliveryState.READY
        if is_ready and present.updated_at != (seen or delivery.updated_at):
            raise ActionRefused(CHANGED_NOTE)
        warnings = warnings_of(delivery) if is_ready else []
        if unread := [line for line in warnings if line.pk not in acknowledged]:
            raise ActionRefused(f"Not confirmed: acknowledge each warning of the analysis first. {unread[0].sentence}")
        start(delivery, [f"Acknowledged {named(line)}" for line in warnings], by=by)


def refuse_stale(delivery: Delivery, *, by: Actor = None) -> None:
    """Set a delivery aside whose content or target changed since its analysis, and raise :class:`ActionRefused`."""
    if delivery.current_state is DeliveryState.READY and is_stale(delivery):
        edited(delivery, by=by)
        raise ActionRefused(STALE_NOTE)


@transaction.atomic
def start(delivery: Delivery, notes: Sequence[str] = (), *, by: Actor = None) -> None:
    """What a confirmation does once nothing is left to ask; ``notes`` are written down before it.

    Raises :class:`ActionRefused` when the end has passed, :class:`deliveries.states.MoveRefused` in another state.
    """
    check_state(delivery.current_state, DeliveryState.READY)
    at = now()
    first = max(delivery.first_contact_at or at, at)
    if delivery.ends(first) <= first:
        raise ActionRefused("The end of the delivery has passed. Choose a later one in the tab “Validity”.")
    archive = archive_of(delivery)
    later = first > at
    Delivery.objects.filter(pk=delivery.pk).update(archive=archive, archive_emails=archive is not None)
    move(
        delivery,
        DeliveryState.START_PENDING if later else DeliveryState.IN_PROGRESS,
        note=f"The start is scheduled for {spelled(first, delivery.contact_zone)}." if later else "",
        started_at=None if later else at,
        starts_at=first,
        valid_until=delivery.ends(first),
        resources_until=delivery.resources_end(first),
    )
    schedule(delivery, first, at)
    hold_back_late(delivery)
    for note in notes:
        write_act(delivery, note, by=by)
    when = f"; they leave from {spelled(first, delivery.contact_zone)} on" if later else ""
    write_act(delivery, f"Delivery confirmed: {delivery.to_deliver:,} messages to send{when}.", by=by)
    announce_work()
