"""What servers answer in our own transactions: the same consequences as a mail that came back, a batch at a time."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from bounces import unqualified
from bounces.consequences import failures_of
from bounces.parsing.codes import enhanced
from bounces.qualification.status import says_enough
from bounces.unqualified import Unknown
from campaign.lib.clock import now
from campaign.lib.sql import statements
from deliveries.models import Message
from deliveries.sending.outcomes import Outcome
from deliveries.sending.verdict import FailureType, Reason, Verdict
from deliveries.states import MessageState
from recipients import quarantine
from recipients.models import Quarantine, QuarantinePolicy, QuarantineStatus

logger = logging.getLogger(__name__)

SQL = statements(Path(__file__).parent / "sql")


def on_recorded(outcomes: Sequence[Outcome], **_: Any) -> None:
    """Receiver of :data:`deliveries.signals.recorded`. What goes wrong here is logged and stops no sending."""
    refused = [outcome for outcome in outcomes if outcome.blames_address]
    accepted = [outcome.message_id for outcome in outcomes if outcome.state is MessageState.SENT]
    try:
        if refused:
            with transaction.atomic():
                count(refused)
        if accepted and Quarantine.objects.filter(status=QuarantineStatus.WITH_ERRORS).exists():
            with transaction.atomic():
                forget(accepted)
    except Exception:
        logger.exception(
            "Errors of addresses could not be counted or forgotten: %d refused, %d took a message.",
            len(refused),
            len(accepted),
        )


def count(refused: Sequence[Outcome]) -> None:
    """Count these refusals against their addresses, and keep the words that no rule knows."""
    ids = [outcome.message_id for outcome in refused]
    addresses = dict(Message.objects.filter(pk__in=ids).values_list("pk", "address"))
    quarantine.note(
        failures_of(
            (
                (each.message_id, addresses[each.message_id], _verdict(each), each.reply, each.at)
                for each in refused
                if each.message_id in addresses
            ),
            is_returned=False,
        )
    )
    unqualified.note(
        Unknown(each.message_id, each.reply, _verdict(each), each.at, is_returned=False)
        for each in refused
        if not each.rule and not says_enough(enhanced(each.reply))
    )


def forget(accepted: Sequence[int]) -> None:
    """Forget the errors of addresses that took these messages."""
    with connection.cursor() as cursor:
        cursor.execute(
            SQL["forget_errors_of_accepted"],
            {"ids": list(accepted), "sent": MessageState.SENT.value, "now": now()},
        )


def forget_arrived(at: datetime) -> int:
    """Forget the errors of addresses to which a message arrived since: it was taken, and where the last error came as
    a mail, did not come back for the policy's proving days. Returns how many addresses."""
    proving = timedelta(days=QuarantinePolicy.objects.current().proving_days)
    with connection.cursor() as cursor:
        cursor.execute(
            SQL["forget_errors_of_arrived"],
            {"sent": MessageState.SENT.value, "proven_before": at - proving, "now": at},
        )
        return int(cursor.rowcount)


def _verdict(outcome: Outcome) -> Verdict:
    return Verdict(outcome.failure_type or FailureType.SOFT, outcome.reason or Reason.NOT_DEFINED, outcome.rule)
