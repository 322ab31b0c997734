"""Routes and the connections that this process keeps to them."""

from deliveries.models import Delivery, Route
from deliveries.sending.transport import Connection, RouteAddress, Security

_connections: dict[RouteAddress, Connection] = {}


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


def connection_for(delivery: Delivery) -> Connection:
    """The connection this process keeps for the delivery's route; a route that was edited gets a new one."""
    address = address_of(route_of(delivery))
    if address not in _connections:
        _connections[address] = Connection(address)
    return _connections[address]


def close_connections() -> None:
    """Take leave of every server; for a process that ends."""
    for connection in _connections.values():
        connection.close()
    _connections.clear()
