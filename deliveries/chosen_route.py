"""Which route a delivery is meant to leave by; whether its server answers is another matter."""

from deliveries.models import Delivery, Route, SenderDomainRoute
from recipients.addresses import AddressError, ascii_domain


class NoRoute(Exception):
    """There is nothing to send through. ``str()`` is a sentence for people."""


def chosen_route(delivery: Delivery) -> Route:
    """The delivery's own route, else the usual one of its sender address. Raises :class:`NoRoute`."""
    return delivery.route if delivery.route is not None else usual_route(delivery.sender_address)


def usual_route(sender_address: str) -> Route:
    """The route of the sender's domain, else the default one. Raises :class:`NoRoute`."""
    if (by_domain := _of_domain(sender_address.rpartition("@")[2])) is not None:
        return by_domain
    default = Route.objects.filter(is_default=True).first()
    if default is None:
        raise NoRoute("There is no route. Create one under “Routes” and mark it as default.")
    return default


def _of_domain(domain: str) -> Route | None:
    """The route of a sender's domain, if it has one."""
    try:
        rule = SenderDomainRoute.objects.select_related("route").filter(domain=ascii_domain(domain)).first()
    except AddressError:  # such a delivery never passes its analysis
        return None
    return rule.route if rule else None
