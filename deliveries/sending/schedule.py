"""When messages may leave: waves are released on time, and what is too late does not leave at all."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet, Sum

from campaign.lib.dates import spelled
from deliveries.models import Delivery, Level
from deliveries.moves import move, write_journal
from deliveries.sending import parts
from deliveries.states import DeliveryState, MoveRefused

OVER = "The delivery duration is over: messages that had not been sent are cancelled."


def schedule(delivery: Delivery, start: datetime, now: datetime) -> None:
    """Release each wave of an analysed delivery at its time after ``start``, or when its time zones have the contact
    date."""
    releases = list(_releases(delivery, start))
    for number, (at, messages) in enumerate(releases, start=1):
        if at <= now:
            continue
        delivery.parts.filter(wave=number).update(not_before=at)
        if len(releases) > 1:
            write_journal(
                delivery.pk, f"Wave {number}: {messages:,} messages leave on {spelled(at, delivery.contact_zone)}."
            )


def _releases(delivery: Delivery, start: datetime) -> Iterable[tuple[datetime, int]]:
    if not delivery.contact_times:
        return [(start + wave.after, wave.messages) for wave in delivery.waves(delivery.to_send)]
    sizes = delivery.parts.values("wave").annotate(messages=Sum("size")).order_by("wave")
    return zip(delivery.contact_times, sizes.values_list("messages", flat=True), strict=True)


def start_due(now: datetime) -> None:
    """Start the confirmed deliveries whose time has come; :func:`end_validity` holds those that are too late."""
    due = Delivery.objects.filter(state=DeliveryState.START_PENDING, starts_at__lte=now)
    for delivery in due.order_by("starts_at"):
        with transaction.atomic():
            try:
                move(delivery, DeliveryState.IN_PROGRESS, started_at=now)
            except MoveRefused:  # cancelled, or started by another process, at this very moment
                continue
            if delivery.valid_until is None or delivery.valid_until > now:
                write_journal(delivery.pk, "The contact date has come: messages are leaving.")


def end_validity(now: datetime) -> None:
    """Cancel what is left of running deliveries whose time is up; hold those that could not even begin in time."""
    late = Delivery.objects.filter(state=DeliveryState.IN_PROGRESS, valid_until__lte=now)
    for delivery_id in late.values_list("pk", flat=True):
        with transaction.atomic():
            delivery = late.select_for_update().filter(pk=delivery_id).first()
            if delivery is None:
                continue
            if delivery.claimed_at is None:
                _hold(delivery)
                continue
        if _cancel_rest(delivery_id, late):
            # Not how many: workers cancel what they hold themselves; the end of the delivery tells the sum.
            write_journal(delivery_id, OVER, level=Level.WARNING)


def cancel_stopped() -> None:
    """Cancel what is left of deliveries that were stopped."""
    stopped = Delivery.objects.filter(state=DeliveryState.STOPPED)
    for delivery_id in parts.unheld_of(stopped):
        _cancel_rest(delivery_id, stopped)


def _cancel_rest(delivery_id: int, over: QuerySet[Delivery]) -> int:
    """Cancel everything of a delivery that no worker holds, as long as it is one of those that are ``over``, and return
    how many messages that was. Some parts at a time, each for good: nobody waits for a million rows, and what a killed
    process leaves is found again."""
    total, closed = 0, 1
    while closed:
        with transaction.atomic():
            if over.select_for_update().filter(pk=delivery_id).first() is None:
                break
            closed, cancelled = parts.cancel_unheld(delivery_id)
        total += cancelled
    return total


def _hold(delivery: Delivery) -> None:
    """Nothing of it was sent: a person decides whether it still makes sense."""
    until = spelled(delivery.valid_until, delivery.contact_zone) if delivery.valid_until else ""
    note = (
        f"The start was missed: no message left until the delivery duration was over ({until}). Nothing was sent. "
        "Resume to send it now, with its full duration, or stop it."
    )
    move(delivery, DeliveryState.PAUSED, note=note)
    write_journal(delivery.pk, note, level=Level.WARNING)
