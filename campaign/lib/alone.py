"""One process at a time for a piece of work, over all hosts, by a lock of PostgreSQL that a dead holder cannot keep."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, connection


@contextmanager
def alone(what: str, number: int) -> Iterator[bool]:
    """Whether this process may do the work ``what`` on row ``number`` inside the block: False when another does.

    The lock lives in the calling thread's database connection (a session, see ``deliveries/sending/slots.py``).
    """
    key = (what, number)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s), %s)", key)
        is_alone = bool(cursor.fetchone()[0])
    session = connection.connection
    try:
        yield is_alone
    finally:
        if is_alone and connection.connection is session and not session.closed:
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(hashtext(%s), %s)", key)
            except Error:
                # The session is broken, and PostgreSQL frees what it held.
                connection.close()
