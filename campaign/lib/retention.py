"""How long things are kept. Each app registers what it deletes; one task an hour goes through all of it.

An app says how to delete some of what is older than a moment, in a transaction of its own. A run that is cut off goes
on where it stopped, because nothing is remembered but the rows themselves.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError

logger = logging.getLogger(__name__)

BATCH = 10_000
"""Rows that are deleted in one transaction."""


@dataclass(frozen=True, slots=True)
class Purge:
    """Something that is deleted once it is old.

    ``delete_some(before, most)`` deletes at most ``most`` of what is older than ``before``, in a transaction of its
    own, and returns how many; 0 means that nothing is left to delete.
    """

    name: str
    keep: Callable[[], timedelta | None]
    """How long it is kept; ``None``: for ever."""
    delete_some: Callable[[datetime, int], int]


_purges: dict[str, Purge] = {}


def register(purge: Purge) -> None:
    """Have ``purge`` carried out every hour. Registering again under its name replaces it."""
    _purges[purge.name] = purge


def purges() -> tuple[Purge, ...]:
    """Everything that is registered, in the order of registration."""
    return tuple(_purges.values())


def run(at: datetime, *, goes_on: Callable[[], bool] = lambda: True, batch: int = BATCH) -> dict[str, int]:
    """Delete everything that is too old ``at`` that moment; returns how much of what, by name.

    ``goes_on`` is asked before each batch. What one app cannot delete keeps none of the others from it.
    """
    return {purge.name: _carry_out(purge, at, goes_on, batch) for purge in purges()}


def _carry_out(purge: Purge, at: datetime, goes_on: Callable[[], bool], batch: int) -> int:
    keep = purge.keep()
    deleted = 0
    try:
        while keep is not None and goes_on():
            some = purge.delete_some(at - keep, batch)
            if not some:
                break
            deleted += some
    except DatabaseError:
        logger.exception("Deleting old %s broke; the next run goes on.", purge.name)
    if deleted:
        logger.info("Deleted %s old %s.", f"{deleted:,}", purge.name)
    return deleted
