"""Slots: how many connections to a route are open at a time, over all workers on all hosts.

A slot is a session-level advisory lock of PostgreSQL: exact, and free again the moment its holder's database connection
ends, however it ends. It lives in the calling thread's own database connection, which therefore must be a session: a
pooler between may not hand it to others after each transaction.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.db import Error, connection

# One key of 64 bits: what it is about, the route, the slot. Nobody else here uses keys of this form.
_ABOUT_ROUTES: Final = 0x5254 << 48

# A function scan with LIMIT stops at the first row that passes, so one lock is taken and no other.
_TAKE: Final = """
SELECT slot FROM generate_series(1, %(limit)s) AS slot
WHERE pg_try_advisory_lock(%(key)s + slot) LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Slot:
    """The right to one connection to a route, good as long as the database connection it was taken on."""

    route_id: int
    number: int
    _session: Any

    @property
    def holds(self) -> bool:
        """Whether the database connection is still the one the slot was taken on."""
        return connection.connection is self._session and not self._session.closed

    def give_back(self) -> None:
        """Free the slot; nothing to do when its database connection is gone."""
        if not self.holds:
            return
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_key(self.route_id) + self.number])
        except Error:
            # The session is broken, and PostgreSQL frees what it held.
            connection.close()


def take(route_id: int, limit: int) -> Slot | None:
    """A free slot of ``limit``, or ``None``. A thread takes at most one for each route: PostgreSQL would give it the
    same one twice."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"limit": limit, "key": _key(route_id)})
        row = cursor.fetchone()
    return Slot(route_id, row[0], connection.connection) if row else None


def _key(route_id: int) -> int:
    return _ABOUT_ROUTES + (route_id << 16)
