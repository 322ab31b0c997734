"""Say that there is work. PostgreSQL is the truth: a hint that is lost costs seconds, because ``wake`` looks again."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

WORKER_HINTS = 8
"""Workers woken at once when a delivery starts; a hint that finds nothing to do ends in a millisecond."""


def ask_for_analysis(delivery_id: int) -> None:
    """Queue an analysis once the present transaction is committed."""
    transaction.on_commit(lambda: _send("deliveries.tasks.analyse_delivery", delivery_id))


def ask_to_cancel() -> None:
    """Queue the cancelling of what is left of stopped deliveries once the present transaction is committed."""
    transaction.on_commit(lambda: _send("deliveries.tasks.cancel"))


def announce_work() -> None:
    """Wake workers once the present transaction is committed."""
    transaction.on_commit(_wake_workers)


def ask_for_another_slice() -> bool:
    """Queue more sending now; returns whether the queue took it."""
    return _send("deliveries.tasks.send_parts")


def ask_for_copies(archive_id: int) -> bool:
    """Queue the copies of one archive now; returns whether the queue took it."""
    return _send("deliveries.tasks.archive", archive_id)


def _wake_workers() -> None:
    for _ in range(WORKER_HINTS):
        if not ask_for_another_slice():
            return


def _send(task: str, *arguments: int) -> bool:
    """Whether the queue took it."""
    try:
        current_app.send_task(task, args=arguments)
    except (OperationalError, RedisError) as error:
        logger.warning("The queue does not answer (%s); the work is found again within seconds.", error)
        return False
    return True
