"""What goes on in other workers: threads with database connections of their own."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import Model

from deliveries.models import Route
from deliveries.sending import slots
from deliveries.sending.slots import Slot
from tests.deliveries.sending.servers import wait_for

T = TypeVar("T")


def in_lanes(count: int, act: Callable[[], AbstractContextManager[T]]) -> list[T]:
    """What each of so many lanes got, none of which lets go before every one has had its turn."""
    together = threading.Barrier(count)

    def lane() -> T:
        try:
            with act() as result:
                together.wait(60)
                return result
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return [future.result(90) for future in [pool.submit(lane) for _ in range(count)]]


@contextmanager
def slot_taken(route: Route) -> Iterator[Slot | None]:
    """A slot of the route, if one is free, given back in the end."""
    slot = slots.take(route.pk, route.connection_limit)
    try:
        yield slot
    finally:
        if slot is not None:
            slot.give_back()


@contextmanager
def elsewhere(route: Route) -> Iterator[None]:
    """Another worker uses one connection to the route."""
    taken, over = threading.Event(), threading.Event()

    def lane() -> None:
        try:
            with slot_taken(route) as slot:
                assert slot is not None
                taken.set()
                over.wait(90)
        finally:
            connection.close()

    thread = threading.Thread(target=lane)
    thread.start()
    try:
        assert taken.wait(60)
        yield
    finally:
        over.set()
        thread.join(10)


@contextmanager
def waiting_for(row: Model, act: Callable[[], object]) -> Iterator[None]:
    """Inside the block somebody else does ``act`` and waits for this row, which is held until the block's end."""

    def elsewhere() -> None:
        try:
            act()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            type(row)._default_manager.select_for_update().get(pk=row.pk)
            waiting = pool.submit(elsewhere)
            until_somebody_waits()
            yield
        waiting.result(20)


def until_somebody_waits() -> None:
    """Return when another session of this database waits for a lock; fail after five seconds."""
    with connection.cursor() as cursor:

        def somebody_waits() -> bool:
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
                "WHERE NOT granted AND datname = current_database()"
            )
            return bool(cursor.fetchone()[0])

        wait_for(somebody_waits)
