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


def _wake_workers() -> None:
    for _ in range(WORKER_HINTS):
        _send("deliveries.tasks.send_parts")


def _send(task: str, *arguments: int) -> None:
    try:
        current_app.send_task(task, args=arguments)
    except (OperationalError, RedisError) as error:
        logger.warning("The queue does not answer (%s); the work is found again within seconds.", error)
