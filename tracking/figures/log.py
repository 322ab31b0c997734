"""Add the delivery log up by domain and hour, for deliveries whose log has changed since."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from campaign.lib.clock import now
from deliveries.models import Content, Delivery, message_range
from deliveries.rendering.compile import MAIL_FORMAT
from deliveries.states import DeliveryState
from tracking.figures.events import SQL
from tracking.figures.models import LogCount, LogTally

DOMAINS = 1_000
"""Domains that have lines of their own."""
SHARE = 20
"""Adding up takes one part in so many of the time, at most."""
SOON = timedelta(seconds=5)
LATER = timedelta(minutes=1)
BOUNCES_COME_FOR = timedelta(days=15)


def count_logs(at: datetime) -> int:
    """Add up every log that changed and is due; returns how many."""
    due = _due(at)
    stamps = _stamps(delivery.pk for delivery in due)
    known = dict(LogCount.objects.filter(pk__in=stamps).values_list("pk", "stamp"))
    changed = [delivery for delivery in due if stamps.get(delivery.pk, "") != known.get(delivery.pk, "")]
    for delivery in changed:
        count_log(delivery, stamps[delivery.pk])
    return len(changed)


def count_again(delivery_ids: Collection[int], **_: Any) -> None:
    """Receiver of :data:`deliveries.signals.judged_again`: the figures by reason of these deliveries are stale.

    Nobody adds them up until the end of the transaction: who did would write over this that old reasons are up to date.
    """
    for delivery_id in sorted(delivery_ids):
        _have_for_oneself(delivery_id)
    LogCount.objects.filter(pk__in=list(delivery_ids)).update(stamp="", due_at=now())


def _due(at: datetime) -> list[Delivery]:
    """Deliveries that send, or to which bounces still come. A log that was deleted keeps the figures it had."""
    waiting = LogCount.objects.filter(due_at__gt=at).values("pk")
    running = Q(state__in=[DeliveryState.IN_PROGRESS, DeliveryState.PAUSED])
    recent = Q(finished_at__gt=at - BOUNCES_COME_FOR)
    return list(
        Delivery.objects.filter(running | recent, started_at__isnull=False, log_purged_at=None).exclude(pk__in=waiting)
    )


def _stamps(delivery_ids: Iterable[int]) -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(SQL["stamps"], {"deliveries": list(delivery_ids)})
        return dict(cursor.fetchall())


def stamp_of(delivery_id: int) -> str:
    """What the parts of a delivery count now."""
    return _stamps([delivery_id]).get(delivery_id, "")


@transaction.atomic
def count_log(delivery: Delivery, stamp: str) -> None:
    """Add one log up afresh; its stamp was read before, so that what changes meanwhile is found the next time."""
    started = monotonic()
    _have_for_oneself(delivery.pk)  # two at once would both delete the old lines and both write new ones
    known = LogCount.objects.filter(pk=delivery.pk).first()
    first, last = message_range(delivery.pk)
    LogTally.objects.filter(delivery_id=delivery.pk).delete()
    with connection.cursor() as cursor:
        cursor.execute(SQL["count_log"], {"first": first, "last": last, "delivery": delivery.pk, "domains": DOMAINS})
    text_only = known.text_only if known else _text_messages(delivery)
    rest = max(LATER if delivery.finished_at else SOON, timedelta(seconds=SHARE * (monotonic() - started)))
    at = now()
    LogCount.objects.update_or_create(
        delivery_id=delivery.pk,
        defaults={"stamp": stamp, "counted_at": at, "due_at": at + rest, "text_only": text_only},
    )


def _have_for_oneself(delivery_id: int) -> None:
    """Wait for whoever adds this log up, or changes it without a trace in its stamp, and be alone until the end of the
    transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('count_log'), %s)", [delivery_id])


def _text_messages(delivery: Delivery) -> int:
    """Messages that are sent without HTML, and so without a pixel."""
    content = Content.objects.filter(delivery_id=delivery.pk).order_by("-pk").first()
    if content is None:
        return 0
    if content.compiled.get("text_only") or not content.compiled["html"].strip():
        return delivery.to_deliver or 0
    if not content.compiled.get("by_preference"):
        return 0
    first, last = message_range(delivery.pk)
    place = content.compiled["fields"].index(MAIL_FORMAT)
    with connection.cursor() as cursor:
        cursor.execute(SQL["text_messages"], {"first": first, "last": last, "place": place})
        return int(cursor.fetchone()[0])
