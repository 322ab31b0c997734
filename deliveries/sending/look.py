"""A look at a route's server: connect, log in, say good-bye, and tell in one sentence what was reached."""

from contextlib import suppress
from dataclasses import replace
from typing import Final

from campaign.lib.connecting import encryption
from deliveries.models import Route
from deliveries.sending import shutdown
from deliveries.sending.handshake import Handshake, Timeouts, open_session
from deliveries.sending.routes import address_of, slot_of

LOOK_SECONDS: Final = 10.0
"""How long a person waits for a server that does not answer."""

_OF_INTEREST: Final = ("pipelining", "chunking", "8bitmime", "smtputf8", "dsn", "size")


def look(route: Route) -> str:
    """What a connection to the route reached. No message is sent.

    Where an access token is needed, one is fetched, although another one may be good still. Raises RouteUnavailable
    (RouteBusy among it: the look counts as a connection), TokenRefused and SealBroken with a sentence.
    """
    address = replace(address_of(route), timeouts=Timeouts(connect=LOOK_SECONDS))
    if address.access is not None:
        address.access.fetch(shutdown.patience)
    slot = slot_of(route)
    try:
        session = open_session(address)
        try:
            return (
                f"The connection to {route.host}:{route.port} works: {encryption(session.sock)}; "
                f"{_login(session, route)}; {_extensions(session)}. No message was sent."
            )
        finally:
            with suppress(OSError):
                session.quit()
            session.close()
    finally:
        if slot is not None:
            slot.give_back()


def _login(session: Handshake, route: Route) -> str:
    if session.mechanism:
        token = f" with an access token from {route.token_host}" if route.access is not None else ""
        return f"logged in as “{route.username}” by AUTH {session.mechanism}{token}"
    offered = session.esmtp_features.get("auth", "").upper().split()
    return f"not logged in (offered: AUTH {' '.join(offered)})" if offered else "no login offered"


def _extensions(session: Handshake) -> str:
    features = session.esmtp_features
    named = [
        f"SIZE {features[name]}".strip() if name == "size" else name.upper()
        for name in _OF_INTEREST
        if name in features
    ]
    return f"it offers {', '.join(named)}" if named else "it offers no extension that sending uses"
