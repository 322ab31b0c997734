"""The hints that deliveries give (see campaign/lib/hints.py: one that is lost costs seconds)."""

from django.db import transaction

from campaign.lib.hints import hint, hint_after_commit

WORKER_HINTS = 8
"""Workers woken at once when a delivery starts; a hint that finds nothing to do ends in a millisecond."""


def ask_for_analysis(delivery_id: int) -> None:
    """Queue an analysis once the present transaction is committed."""
    hint_after_commit("deliveries.tasks.analyse_delivery", delivery_id)


def ask_to_cancel() -> None:
    """Queue the cancelling of what is left of stopped deliveries once the present transaction is committed."""
    hint_after_commit("deliveries.tasks.cancel")


def announce_work() -> None:
    """Wake workers once the present transaction is committed."""
    transaction.on_commit(_wake_workers)


def ask_for_another_slice() -> bool:
    """Queue more sending now; returns whether the queue took it."""
    return hint("deliveries.tasks.send_parts")


def ask_for_copies(archive_id: int) -> bool:
    """Queue the copies of one archive now; returns whether the queue took it."""
    return hint("deliveries.tasks.archive", archive_id)


def _wake_workers() -> None:
    for _ in range(WORKER_HINTS):
        if not ask_for_another_slice():
            return
