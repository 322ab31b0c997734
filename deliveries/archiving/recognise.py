"""Whether it was an archive that opened a page, an image or a link."""

import ipaddress
from collections.abc import Iterable

from deliveries.models import Archive


def recognise(archives: Iterable[Archive], ip: str, user_agent: str) -> Archive | None:
    """The archive that an address or a user agent belongs to; None for anybody else.

    A person who opens a copy from outside the archive's networks cannot be told from the recipient.
    """
    address = _address(ip)
    agent = user_agent.lower()
    for archive in archives:
        if address is not None and any(address in network for network in archive.network_list()):
            return archive
        if any(name in agent for name in archive.agent_list()):
            return archive
    return None


def _address(ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address; one of IPv4 as itself also where a socket for both writes ``::ffff:192.0.2.1`` (RFC 4291)."""
    try:
        address = ipaddress.ip_address(ip.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
