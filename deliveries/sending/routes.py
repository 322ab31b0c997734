"""Routes, and the connections that a lane keeps to them."""

from deliveries.models import Delivery, Route
from deliveries.sending.transport import Connection, RouteAddress, Security


class NoRoute(Exception):
    """There is nothing to send through. ``str()`` is a sentence for people."""


def route_of(delivery: Delivery) -> Route:
    """The route a delivery leaves by: its own, else the default one. Raises :class:`NoRoute`."""
    route = delivery.route or Route.objects.filter(is_default=True).first()
    if route is None:
        raise NoRoute("There is no route. Create one under “Routes” and mark it as default.")
    return route


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
    )


class Connections:
    """The connections that one lane keeps, one for each route it sends by. Not for several threads."""

    def __init__(self) -> None:
        self._kept: dict[RouteAddress, Connection] = {}

    def to(self, delivery: Delivery) -> Connection:
        """The connection for the delivery's route; a route that was edited gets a new one."""
        address = address_of(route_of(delivery))
        if address not in self._kept:
            self._kept[address] = Connection(address)
        return self._kept[address]

    @property
    def waited(self) -> float:
        """Seconds spent waiting for servers' answers until now."""
        return sum(connection.waited for connection in self._kept.values())

    def close(self) -> None:
        """Take leave of every server. The connections open again when they are needed."""
        for connection in self._kept.values():
            connection.close()
