"""How many connections to a route are open at a time; every lane has a database connection of its own."""

from contextlib import nullcontext

import pytest
from django.db import OperationalError, connection

from deliveries.models import Route
from deliveries.sending import slots
from deliveries.sending.slots import Slot
from tests.deliveries.sending.servers import wait_for
from tests.deliveries.sending.sessions import elsewhere, in_lanes, slot_taken


@pytest.fixture
def route(db: None) -> Route:
    return Route.objects.create(name="Relay", host="127.0.0.1", connection_limit=3)


def taken(route: Route) -> Slot:
    """A slot that is there."""
    slot = slots.take(route.pk, route.connection_limit)
    assert slot is not None
    return slot


def free(route: Route) -> int:
    """How many slots other workers could have now."""
    return sum(slot is not None for slot in in_lanes(route.connection_limit, lambda: slot_taken(route)))


@pytest.mark.parametrize("lanes", [2, 3, 8])
def test_it_gives_as_many_slots_as_allowed_and_never_more(route: Route, lanes: int) -> None:
    given = in_lanes(lanes, lambda: slot_taken(route))

    numbers = sorted(slot.number for slot in given if slot is not None)
    assert numbers == [1, 2, 3][:lanes]


def test_it_takes_one_lock_and_no_other(route: Route) -> None:
    with connection.cursor() as cursor:
        slot = taken(route)
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        locks = cursor.fetchone()[0]
    slot.give_back()

    assert locks == 1


def test_it_gives_a_slot_back(route: Route) -> None:
    slot = taken(route)

    before = free(route)
    slot.give_back()

    assert (before, free(route)) == (2, 3)


def test_it_frees_what_a_lane_held_whose_database_connection_ended(route: Route) -> None:
    in_lanes(2, lambda: nullcontext(slots.take(route.pk, 3)))

    wait_for(lambda: free(route) == 3)


def test_it_keeps_routes_apart(route: Route) -> None:
    other = Route.objects.create(name="Other", host="127.0.0.1", connection_limit=1)

    with elsewhere(route):
        slot = slots.take(other.pk, 1)

    assert slot is not None
    slot.give_back()


@pytest.mark.django_db(transaction=True)
def test_it_knows_when_the_database_connection_is_another_one(route: Route) -> None:
    slot = taken(route)
    held = slot.holds

    connection.close()
    connection.ensure_connection()

    assert (held, slot.holds) == (True, False)


@pytest.mark.django_db(transaction=True)
def test_it_has_nothing_to_give_back_when_the_server_ended_its_session(route: Route) -> None:
    slot = taken(route)
    with connection.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    slot.give_back()
    connection.close()

    assert not slot.holds
    wait_for(lambda: free(route) == 3)
