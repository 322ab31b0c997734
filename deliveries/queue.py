"""The hints that deliveries give (see campaign/lib/hints.py: one that is lost costs seconds)."""

from collections.abc import Iterable

from django.db import transaction

from campaign.lib.hints import hint, hint_after_commit

WORKER_HINTS = 8
"""Workers woken at once when a delivery starts; a hint that finds nothing to do ends in a millisecond."""

HINT_SECONDS = 5.0
"""How long a hint is good for that ``wake`` gives again. While all processes are busy these would else pile up, and
whoever comes back for a slice of other work would wait behind them."""


def ask_for_analysis(delivery_id: int) -> None:
    """Queue an analysis once the present transaction is committed."""
    hint_after_commit("deliveries.tasks.analyse_delivery", delivery_id)


def ask_to_cancel() -> None:
    """Queue the cancelling of what is left of stopped deliveries once the present transaction is committed."""
    hint_after_commit("deliveries.tasks.cancel")


def announce_work() -> None:
    """Wake workers once the present transaction is committed."""
    transaction.on_commit(_wake_workers)


def announce_copies(archive_ids: Iterable[int]) -> None:
    """Say now that copies for these archives are due."""
    for archive_id in archive_ids:
        if not hint("deliveries.tasks.archive", archive_id, expires=HINT_SECONDS):
            return


def come_back_for_sending() -> bool:
    """Queue another slice of sending now; returns whether the queue took it."""
    return hint("deliveries.tasks.send_parts")


def come_back_for_copies(archive_id: int) -> None:
    """Queue another slice of copies for one archive now."""
    hint("deliveries.tasks.archive", archive_id)


def _wake_workers() -> None:
    for _ in range(WORKER_HINTS):
        if not hint("deliveries.tasks.send_parts", expires=HINT_SECONDS):
            return
