"""What is kept of a delivery and for how long: personal values go when its mirror pages end; the log stays."""

from datetime import datetime

from django.db import connection, transaction

from deliveries.models import ArchiveCopy, CopyState, Delivery, message_range
from deliveries.moves import write_journal
from deliveries.states import DeliveryState
from recipients.imports.people_file import forget_lines

BATCH = 10_000
"""Messages whose values are deleted in one transaction; a run that is cut off goes on where it stopped."""

ENDED = (DeliveryState.FINISHED, DeliveryState.STOPPED)


def purge_values(now: datetime, batch: int = BATCH) -> int:
    """Delete the personal values of ended deliveries whose mirror pages have ended; returns how many messages had
    some."""
    purged = 0
    expired = Delivery.objects.filter(resources_until__lte=now, values_purged_at=None, state__in=ENDED)
    for delivery_id in list(expired.values_list("pk", flat=True)):
        if _lacks_copies(delivery_id):
            continue
        purged += _purge(delivery_id, now, batch)
    return purged


def _lacks_copies(delivery_id: int) -> bool:
    """The archive still has to get copies: without the values they could never be made. The home page warns of it."""
    copies = ArchiveCopy.objects.of_delivery(delivery_id)
    return copies.exclude(state=CopyState.ARCHIVED).exists()


def _purge(delivery_id: int, now: datetime, batch: int) -> int:
    first, last = message_range(delivery_id)
    purged = 0
    while deleted := _delete_some(first, last, batch):
        purged += deleted
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().get(pk=delivery_id)
        if delivery.values_purged_at is None:
            Delivery.objects.filter(pk=delivery_id).update(values_purged_at=now)
            _forget_file(delivery)
            write_journal(
                delivery_id,
                "The validity limit of resources is over: the personal values were deleted.",
            )
    return purged


def _forget_file(delivery: Delivery) -> None:
    """The lines of its file are personal values too; another delivery may still need them."""
    file = delivery.target_file
    if file is not None and not file.deliveries.filter(values_purged_at=None).exists():
        forget_lines(file)


def _delete_some(first: int, last: int, batch: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM deliveries_messagevalues WHERE message_id IN ("
            "SELECT message_id FROM deliveries_messagevalues WHERE message_id BETWEEN %s AND %s "
            "ORDER BY message_id LIMIT %s)",
            [first, last, batch],
        )
        return int(cursor.rowcount)
