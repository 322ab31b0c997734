"""The copies that are to be made: claimed with a lease, recorded in bulk, tried again until they are taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, Max, Min, QuerySet

from deliveries.models import Archive, ArchiveCopy, CopyState, Delivery, Message, message_range
from deliveries.sending.outcomes import CLOSED
from deliveries.states import MessageState

LEASE = timedelta(minutes=10)
"""A copy that is being made is left alone for so long; if its process dies, it is made again then."""

RESTS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
"""Before the second attempt, the third, …; the last holds for all further ones."""

OVERDUE = timedelta(hours=1)
"""A copy that is missing for so long is worth an alarm."""


@dataclass(frozen=True, slots=True)
class CopyOutcome:
    """What became of one attempt: when it was mailed or stored, and the server's or our words."""

    message_id: int
    mailed_at: datetime | None
    stored_at: datetime | None
    is_complete: bool
    reply: str


@dataclass(frozen=True, slots=True)
class CopyFigures:
    """Copies of one delivery by state, and the latest refusal of those that are tried again. Those to seed addresses
    count only while they are missing, or when they were given up."""

    pending: int
    archived: int
    failed: int
    given_up: int
    reply: str

    @property
    def missing(self) -> int:
        """Copies that are not in the archive."""
        return self.pending + self.failed

    @property
    def all(self) -> int:
        """Copies that were ever to be made."""
        return self.missing + self.archived + self.given_up


@dataclass(frozen=True, slots=True)
class Alarm:
    """Copies that an archive lacks for longer than it should."""

    archive: str
    missing: int
    since: datetime
    reply: str


def claim(archive: Archive, now: datetime, most: int) -> list[ArchiveCopy]:
    """Copies whose turn it is, held for :data:`LEASE`."""
    with transaction.atomic():
        found = list(
            ArchiveCopy.objects.outstanding()
            .select_for_update(skip_locked=True)
            .filter(archive=archive, next_attempt_at__lte=now)
            .order_by("next_attempt_at")[:most]
        )
        ArchiveCopy.objects.filter(pk__in=[copy.pk for copy in found]).update(next_attempt_at=now + LEASE)
    return found


def record(copies: Sequence[ArchiveCopy], outcomes: Sequence[CopyOutcome], now: datetime) -> None:
    """Write down what became of claimed copies; those without an outcome were not tried and are free at once. What a
    person gave up meanwhile stays given up, unless the archive took it after all.

    Rows are locked in the order of their keys, as by :func:`give_up`: neither waits for the other crosswise.
    """
    by_id = {outcome.message_id: outcome for outcome in outcomes}
    for copy in copies:
        outcome = by_id.get(copy.pk)
        if outcome is None:
            copy.next_attempt_at = now
            continue
        copy.attempts = min(copy.attempts + 1, 32_000)
        copy.mailed_at = outcome.mailed_at or copy.mailed_at
        copy.stored_at = outcome.stored_at or copy.stored_at
        copy.reply = outcome.reply
        copy.state = CopyState.ARCHIVED if outcome.is_complete else CopyState.FAILED
        copy.next_attempt_at = now + RESTS[min(copy.attempts, len(RESTS)) - 1]
    fields = ["attempts", "mailed_at", "stored_at", "reply", "state", "next_attempt_at"]
    taken = [copy for copy in copies if copy.state == CopyState.ARCHIVED]
    others = [copy for copy in copies if copy.state != CopyState.ARCHIVED]
    with transaction.atomic():
        list(_in_order(ArchiveCopy.objects.filter(pk__in=[copy.pk for copy in copies])))
        ArchiveCopy.objects.bulk_update(taken, fields, batch_size=500)
        ArchiveCopy.objects.outstanding().bulk_update(others, fields, batch_size=500)


def archives_with_work(now: datetime) -> list[Archive]:
    """Archives that have copies whose turn it is."""
    due = ArchiveCopy.objects.outstanding().filter(next_attempt_at__lte=now)
    return list(Archive.objects.filter(pk__in=due.values("archive")))


def figures(delivery: Delivery) -> CopyFigures:
    """Copies of a delivery by state."""
    copies = ArchiveCopy.objects.of_delivery(delivery.pk)
    counts = dict(copies.order_by().values_list("state").annotate(Count("pk")))
    seeds = 0
    if delivery.seeds:
        to_seeds = Message.objects.of_delivery(delivery.pk).filter(seed__isnull=False)
        seeds = copies.filter(state=CopyState.ARCHIVED, message__in=to_seeds).count()
    kept: dict[str, Any] = delivery.kept or {}
    failed = copies.filter(state=CopyState.FAILED).order_by("-pk").values_list("reply", flat=True).first()
    return CopyFigures(
        pending=counts.get(CopyState.PENDING, 0),
        archived=kept.get("archived", counts.get(CopyState.ARCHIVED, 0) - seeds),
        failed=counts.get(CopyState.FAILED, 0),
        given_up=kept["given_up"] if "given_up" in kept else counts.get(CopyState.GIVEN_UP, 0),
        reply=failed or "",
    )


def alarms(now: datetime) -> list[Alarm]:
    """What archives lack for longer than :data:`OVERDUE`."""
    rows = (
        ArchiveCopy.objects.outstanding()
        .filter(noted_at__lte=now - OVERDUE)
        .order_by()
        .values_list(F("archive__name"))
        .annotate(Count("pk"), Min("noted_at"), Max("reply"))
    )
    return [Alarm(*row) for row in rows]


def are_overdue(delivery: Delivery, now: datetime) -> bool:
    """Whether an archive lacks copies of the delivery for longer than :data:`OVERDUE`."""
    return ArchiveCopy.objects.of_delivery(delivery.pk).outstanding().filter(noted_at__lte=now - OVERDUE).exists()


def outstanding_archives(delivery_id: int) -> list[str]:
    """The names of the archives that still have to get copies of a delivery."""
    copies = ArchiveCopy.objects.of_delivery(delivery_id).outstanding().order_by()
    return sorted(copies.values_list("archive__name", flat=True).distinct())


def give_up(delivery_id: int) -> int:
    """Have none of the outstanding copies made any more; returns how many. :func:`note_missing` undoes it."""
    held = _in_order(ArchiveCopy.objects.of_delivery(delivery_id).outstanding())
    return ArchiveCopy.objects.filter(pk__in=held).update(state=CopyState.GIVEN_UP)


def _in_order(found: QuerySet[ArchiveCopy]) -> QuerySet[ArchiveCopy, int]:
    """The keys of these copies, each locked as it is read."""
    return found.order_by("pk").select_for_update().values_list("pk", flat=True)


def note_missing(delivery: Delivery, archive: Archive, now: datetime) -> int:
    """Have a copy made of every accepted message of the delivery, again where there is one; returns how many.

    What was in doubt until a person closed it as sent was accepted by nobody that we know of.
    """
    first, last = message_range(delivery.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO deliveries_archivecopy (message_id, archive_id, state, attempts, reply, noted_at, "
            "next_attempt_at) SELECT id, %(archive)s, %(pending)s, 0, '', %(now)s, %(now)s FROM deliveries_message "
            "WHERE id BETWEEN %(first)s AND %(last)s AND state = %(sent)s AND reply IS DISTINCT FROM %(closed)s "
            # Whose data were erased has none: such a copy could never be made.
            "AND EXISTS (SELECT FROM deliveries_messagevalues WHERE message_id = deliveries_message.id) "
            "ORDER BY id "
            "ON CONFLICT (message_id) DO UPDATE SET archive_id = excluded.archive_id, state = excluded.state, "
            "attempts = 0, mailed_at = NULL, stored_at = NULL, noted_at = excluded.noted_at, "
            "next_attempt_at = excluded.next_attempt_at",
            {
                "archive": archive.pk,
                "pending": CopyState.PENDING.value,
                "sent": MessageState.SENT.value,
                "closed": CLOSED,
                "now": now,
                "first": first,
                "last": last,
            },
        )
        return int(cursor.rowcount)
