"""What is kept of a delivery and for how long: personal values go when its mirror pages end, the log after
``KEEP_LOG``; its figures stay."""

from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from campaign.lib import retention
from campaign.lib.retention import Purge
from campaign.lib.sql import statements
from deliveries.actions.subscribe import VALID, purge_requests
from deliveries.analysis.run import exclusion_counts
from deliveries.archiving.copies import figures
from deliveries.models import ArchiveCopy, AuditLine, Delivery, ProofLine, message_range
from deliveries.moves import write_journal
from deliveries.states import ENDED
from recipients.imports.people_file import forget_lines

SQL = statements(Path(__file__).parent / "sql")


def purge_values(now: datetime) -> int:
    """Delete the personal values of ended deliveries whose mirror pages have ended; returns how many messages had
    some."""
    purged = 0
    for delivery_id in list(_expired(now).values_list("pk", flat=True)):
        if _lacks_copies(delivery_id):
            continue
        purged += _purge(delivery_id, now)
    return purged


def _expired(now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(resources_until__lte=now, values_purged_at=None, state__in=ENDED)


def _lacks_copies(delivery_id: int) -> bool:
    """The archive still has to get copies: without the values they could never be made. The home page warns of it until
    a person gives them up."""
    return ArchiveCopy.objects.of_delivery(delivery_id).outstanding().exists()


@transaction.atomic
def _purge(delivery_id: int, now: datetime) -> int:
    """All of one delivery or nothing, locked as by whoever keeps its pages longer or sends something again: either
    finds the values whole, or learns that they are gone."""
    still = _expired(now).select_for_update().filter(pk=delivery_id).first()
    if still is None:
        return 0
    purged = _delete_values(*message_range(delivery_id))
    Delivery.objects.filter(pk=delivery_id).update(values_purged_at=now)
    _forget_file(still)
    write_journal(delivery_id, "The validity limit of resources is over: the personal values were deleted.")
    return purged


def _forget_file(delivery: Delivery) -> None:
    """The lines of its file are personal values too; another delivery may still need them."""
    file = delivery.target_file
    if file is not None and not file.deliveries.filter(values_purged_at=None).exists():
        forget_lines(file)


def _delete_values(first: int, last: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM deliveries_messagevalues WHERE message_id BETWEEN %s AND %s", [first, last])
        return int(cursor.rowcount)


def register_purges() -> None:
    """Have the log and the audit trail deleted when they are old."""
    retention.register(Purge("messages of the log", lambda: settings.KEEP_LOG, purge_log))
    retention.register(Purge("lines of the audit trail", lambda: settings.KEEP_AUDIT, purge_audit))
    retention.register(Purge("requests for a subscription", lambda: VALID, purge_requests))


def purge_audit(before: datetime, most: int) -> int:
    """Delete at most ``most`` lines of the audit trail that are older than ``before``."""
    old = AuditLine.objects.filter(at__lt=before).order_by("pk").values("pk")[:most]
    return AuditLine.objects.filter(pk__in=old).delete()[0]


def purge_log(before: datetime, most: int) -> int:
    """Delete at most ``most`` rows of the log of deliveries that ended before, exclusions and copies' states included;
    returns how many.

    The delivery keeps its figures: the counters of its parts stay, and what is counted from rows is written down first.
    Nothing goes while mirror pages are open or the archive lacks copies. Messages to seed addresses stay: they are a
    handful, and figures take them away.
    """
    over = Delivery.objects.filter(
        state__in=ENDED, finished_at__lt=before, values_purged_at__isnull=False, log_purged_at=None
    )
    for delivery in over.order_by("pk"):
        with transaction.atomic():
            # Locked as by whoever sends something again.
            locked = over.select_for_update().filter(pk=delivery.pk).first()
            if locked is None or _lacks_copies(locked.pk):
                continue
            _keep_figures(locked)
            if deleted := _delete_log(locked.pk, most):
                return deleted
            Delivery.objects.filter(pk=locked.pk).update(log_purged_at=timezone.now())
            write_journal(locked.pk, "The log was deleted, as old logs are. The figures stay.")
    return 0


def _keep_figures(delivery: Delivery) -> None:
    if delivery.kept is None:
        copies = figures(delivery)
        kept = {"exclusions": exclusion_counts(delivery), "archived": copies.archived, "given_up": copies.given_up}
        Delivery.objects.filter(pk=delivery.pk).update(kept=kept)


def _delete_log(delivery_id: int, most: int) -> int:
    """At most so many rows, of one table: those first that lead to others."""
    first, last = message_range(delivery_id)
    given = {"first": first, "last": last, "delivery": delivery_id, "most": most}
    for statement in ("delete_copies", "delete_exclusions", "delete_messages"):
        with connection.cursor() as cursor:
            cursor.execute(SQL[statement], given)
            if cursor.rowcount:
                return int(cursor.rowcount)
    return ProofLine.objects.filter(proof=delivery_id).delete()[0]
