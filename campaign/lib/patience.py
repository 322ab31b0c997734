"""Questions to the database that somebody waits for: given up when an answer takes too long."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import OperationalError, connection, transaction


class TookTooLong(Exception):
    """A statement was given up; nothing of the block is written."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Inside the block, which is one transaction, no statement takes longer. Raises :class:`TookTooLong`."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{seconds}s"])
            yield
            cursor.execute("SELECT set_config('statement_timeout', '0', true)")
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            raise TookTooLong from error
        raise
