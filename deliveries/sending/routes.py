"""Which route a delivery leaves by, and the connections that a lane keeps to it and to its fallbacks."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from campaign.lib.clock import now
from campaign.lib.connecting import Security
from campaign.lib.sealing import SealBroken
from deliveries.chosen_route import NoRoute, chosen_route, usual_route
from deliveries.models import Delivery, JournalLine, Level, Route
from deliveries.moves import write_journal
from deliveries.relay import Mechanism, Protocol
from deliveries.sending import outages, slots
from deliveries.sending.handshake import RouteAddress, RouteUnavailable, Timeouts
from deliveries.sending.outages import Outages
from deliveries.sending.slots import Slot
from deliveries.sending.transport import Connection

__all__ = [
    "Connections",
    "NoRoute",
    "RouteBusy",
    "active_routes",
    "address_of",
    "one_connection",
    "route_of",
    "route_of_sender",
    "routes_of",
    "slot_of",
]

logger = logging.getLogger(__name__)

TELL_AGAIN: Final = timedelta(hours=1)
"""A delivery's journal says at most so often that another route stands in."""


class RouteBusy(RouteUnavailable):
    """Every connection that the route allows is in use; one will be free soon."""


def route_of(delivery: Delivery) -> Route:
    """The route a delivery leaves by while all servers answer. Raises :class:`NoRoute`."""
    return routes_of(delivery)[0]


def routes_of(delivery: Delivery) -> list[Route]:
    """The delivery's active routes, the first choice first, then its fallbacks. Raises :class:`NoRoute`."""
    return active_routes(chosen_route(delivery))


def route_of_sender(address: str) -> Route:
    """The active route by which a mail leaves that belongs to no delivery. Raises :class:`NoRoute`."""
    return active_routes(usual_route(address))[0]


def active_routes(chosen: Route) -> list[Route]:
    """The route and its fallbacks, in this order, without those that are not active. Raises :class:`NoRoute`."""
    active = [route for route in (chosen, *chosen.fallbacks()) if route.is_active]
    if not active:
        raise NoRoute(
            f"The route “{chosen}” is not active, and no active route stands in for it. Activate it under “Routes”, or "
            "choose another."
        )
    return active


def address_of(route: Route) -> RouteAddress:
    """Where and how to connect. Raises :class:`campaign.lib.sealing.SealBroken` when its password cannot be read."""
    return RouteAddress(
        host=route.host,
        port=route.port,
        security=Security(route.security),
        username=route.username,
        password=route.password,
        ehlo_name=route.ehlo_name,
        name=route.name,
        authority_file=route.authority_file,
        messages_per_connection=route.messages_per_connection,
        timeouts=Timeouts(
            connect=route.connect_seconds,
            command=route.command_seconds,
            data=route.data_seconds,
            content=route.content_seconds,
            end_of_data=route.end_of_data_seconds,
        ),
        protocol=Protocol(route.protocol),
        mechanism=Mechanism(route.auth_mechanism),
        access=route.access,
        certificate_checks=route.check_certificate,
        source_address=route.source_address or "",
        id=route.pk or 0,
        messages_per_second=route.messages_per_second,
    )


@dataclass(slots=True)
class _Kept:
    """A connection and the right to it; a route without limit needs none."""

    address: RouteAddress
    connection: Connection
    slot: Slot | None


class Connections:
    """The connections that one lane keeps, one for each route it sends by. Not for several threads."""

    def __init__(self, failed: Outages = outages.this_process) -> None:
        self._failed = failed
        self._kept: dict[int, _Kept] = {}
        self._waited = 0.0

    def to(self, delivery: Delivery) -> Connection:
        """An open connection for the delivery: to its route, or to the fallback while that cannot be reached.

        A route that was edited gets a new one. Raises :class:`NoRoute`, :class:`RouteBusy` and
        :class:`RouteUnavailable`.
        """
        chosen = chosen_route(delivery)
        routes = active_routes(chosen)
        failures: dict[Route, str] = {}
        for route, address in self._candidates(routes, failures):
            try:
                connection = self._open(route, address)
            except RouteBusy:
                raise
            except RouteUnavailable as error:
                failures[route] = str(error)
                if len(routes) > 1:
                    self._failed.note(address, str(error))
                continue
            if route != chosen:
                why = failures.get(chosen, "It is not active.")
                _tell(delivery, f"The route “{chosen}” cannot be used, “{route}” stands in for it. {why}")
            return connection
        raise RouteUnavailable(" ".join(failures.values()))

    @property
    def waited(self) -> float:
        """Seconds spent waiting for servers' answers until now."""
        return self._waited + sum(kept.connection.waited for kept in tuple(self._kept.values()))

    def close(self) -> None:
        """Take leave of every server and give the slots back, while the database connection is still open. The
        connections open again when they are needed."""
        for route_id in tuple(self._kept):
            self._forget(route_id)

    def _candidates(self, routes: list[Route], failures: dict[Route, str]) -> list[tuple[Route, RouteAddress]]:
        """Where to try, in this order; what speaks against a route is put into ``failures``.

        Routes that failed lately come last: better than none when the others fail as well.
        """
        fresh: list[tuple[Route, RouteAddress]] = []
        failed_lately: list[tuple[Route, RouteAddress]] = []
        for route in routes:
            try:
                address = address_of(route)
            except SealBroken as error:
                failures[route] = str(error)
                continue
            if why := self._failed.why(address):
                failures[route] = why
            (failed_lately if why else fresh).append((route, address))
        return [*fresh, *failed_lately]

    def _open(self, route: Route, address: RouteAddress) -> Connection:
        """The kept connection, or a new one with a slot. Raises RouteBusy, RouteUnavailable."""
        kept = self._kept.get(route.pk)
        if kept is not None and (kept.address != address or not _within_limit(kept.slot, route.connection_limit)):
            self._forget(route.pk)
            kept = None
        if kept is None:
            kept = self._kept[route.pk] = _Kept(address, Connection(address), slot_of(route))
        try:
            kept.connection.open()
        except BaseException:
            self._forget(route.pk)
            raise
        return kept.connection

    def _forget(self, route_id: int) -> None:
        """Close a connection, then give its slot back."""
        kept = self._kept.pop(route_id)
        kept.connection.close()
        self._waited += kept.connection.waited
        if kept.slot is not None:
            kept.slot.give_back()


def slot_of(route: Route) -> Slot | None:
    """The right to one more connection; ``None`` where the route sets no limit. Raises :class:`RouteBusy`."""
    if not route.connection_limit:
        return None
    slot = slots.take(route.pk, route.connection_limit)
    if slot is None:
        raise RouteBusy(
            f"All {route.connection_limit} connections that the route “{route}” allows are in use. "
            "It goes on as soon as one is free."
        )
    return slot


@contextmanager
def one_connection(route: Route) -> Iterator[Connection]:
    """A connection of its own to a route, within its limit. Raises RouteBusy and SealBroken."""
    connection = Connection(address_of(route))
    slot = slot_of(route)
    try:
        yield connection
    finally:
        connection.close()
        if slot is not None:
            slot.give_back()


def _within_limit(slot: Slot | None, limit: int) -> bool:
    """Whether a connection may go on: its slot survived, and the limit was not lowered below it, or there is none."""
    if slot is None:
        return limit == 0
    return slot.holds and (limit == 0 or slot.number <= limit)


def _tell(delivery: Delivery, sentence: str) -> None:
    """Put it into the delivery's journal, unless it is there already from the last hour."""
    told = JournalLine.objects.filter(delivery_id=delivery.pk, sentence=sentence, at__gt=now() - TELL_AGAIN)
    if not told.exists():
        logger.warning("Delivery %s: %s", delivery.pk, sentence)
        write_journal(delivery.pk, sentence, level=Level.WARNING)
