"""Whether it was an archive that opened a page, an image or a link."""

import ipaddress
from collections.abc import Iterable

from deliveries.models import Archive


def recognise(archives: Iterable[Archive], ip: str, user_agent: str) -> Archive | None:
    """The archive that an address or a user agent belongs to; None for anybody else.

    A person who opens a copy from outside the archive's networks cannot be told from the recipient.
    """
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        address = None
    agent = user_agent.lower()
    for archive in archives:
        if address is not None and any(address in ipaddress.ip_network(line) for line in archive.networks.split()):
            return archive
        if any(line.strip().lower() in agent for line in archive.user_agents.splitlines() if line.strip()):
            return archive
    return None
