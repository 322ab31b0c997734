"""Say that there is work. PostgreSQL is the truth: a hint that is lost costs the time until what runs regularly looks
again, mostly seconds. Whoever asks for something that nobody looks for has to heed whether the queue took it."""

import logging
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def hint(task: str, *arguments: int, expires: float | None = None) -> bool:
    """Queue a task now, for so many seconds (``None``: until somebody takes it); returns whether the queue took it.
    Waits some seconds for one that hangs, not longer."""
    try:
        current_app.send_task(task, args=arguments, expires=expires)
    except (OperationalError, RedisError) as error:
        logger.warning("The queue does not answer (%s); nobody is told of %s.", error, task)
        return False
    return True


def hint_after_commit(task: str, *arguments: int) -> None:
    """Queue a task once the present transaction is committed."""
    transaction.on_commit(partial(hint, task, *arguments))
