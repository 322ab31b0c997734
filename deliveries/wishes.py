"""Wishes that arrive while deliveries are under way: what waits for somebody who no longer wants it does not leave.

One look at the index of a person's messages when the wish arrives; nothing is asked per message while sending.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from campaign.lib.clock import now
from campaign.lib.sql import statements
from deliveries.models import Delivery, message_range
from deliveries.models.message import MessageQuerySet
from deliveries.sending import parts
from deliveries.sending.verdict import Reason
from deliveries.states import MessageState
from recipients.models import Denylist, Recipient, Subscription
from recipients.signals import consent_withdrawn

SQL = statements(Path(__file__).parent / "sql")

UNWANTED = "Not sent: the person unsubscribed before it left."

LONGEST_ANALYSIS = timedelta(days=1)
"""A wish that arrived so long before an analysis ended was seen by it."""


def listen() -> None:
    """Hear of every wish, wherever it was expressed."""
    consent_withdrawn.connect(_heard, sender=Recipient, dispatch_uid="deliveries.wishes")


def _heard(sender: Any, *, recipient_id: int, service_id: int | None, **_: Any) -> None:
    hold_back(recipient_id, service_id)


def hold_back(recipient_id: int, service_id: int | None) -> int:
    """Cancel the pending messages of one person, in every delivery that would have left the person out; of one service
    only where one is given. Returns how many."""
    return _cancel("hold_back_person", {"recipient": recipient_id, "service": service_id})


def hold_back_late(delivery: Delivery) -> int:
    """Cancel the messages of those who withdrew while the delivery was being analysed; returns how many.

    Their wish could not find the messages, which were not committed yet.
    """
    first, last = message_range(delivery.pk)
    since = (delivery.analysed_at or now()) - LONGEST_ANALYSIS
    return _cancel(
        "hold_back_late",
        {
            "first": first,
            "last": last,
            "since": since,
            "by_denylist": delivery.exclude_denylisted,
            "service": delivery.consent_service_id,
        },
    )


def still_wanted(delivery: Delivery, messages: MessageQuerySet) -> MessageQuerySet:
    """Those of the delivery's messages whose people have not withdrawn since."""
    if delivery.exclude_denylisted:
        messages = messages.exclude(recipient__in=Denylist.objects.values("recipient"))
    if delivery.consent_service_id is not None:
        left = Subscription.objects.filter(service=delivery.consent_service_id, withdrawn_at__isnull=False)
        messages = messages.exclude(recipient__in=left.values("recipient"))
    return messages


def _cancel(statement: str, given: dict[str, Any]) -> int:
    common: dict[str, Any] = {
        "pending": MessageState.PENDING.value,
        "cancelled": MessageState.CANCELLED.value,
        "reason": Reason.DENYLISTED_ADDRESS.value,
        "sentence": UNWANTED,
        "now": now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL[statement], {**common, **given})
        cancelled = [row[0] for row in cursor.fetchall()]
    if cancelled:
        # Afterwards, and alone: a transaction that holds messages and waits for a part could meet one that stops a
        # delivery, which holds the part and waits for the messages. Lost with its process, it costs nothing but time.
        transaction.on_commit(lambda: _tell_parts(cancelled), robust=True)
    return len(cancelled)


def _tell_parts(message_ids: Sequence[int]) -> None:
    """Whoever holds one of the parts reads it again; parts in which nothing waits any more are done."""
    parts.held_back(message_ids)
