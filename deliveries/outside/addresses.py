"""Which network addresses may be asked on behalf of an author: public ones only, so that nobody looks into our network
through a link."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

_CARRIES_IPV4_AT_END: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("::/96"))
"""Translation prefixes (RFC 6052, RFC 8215) and the old compatible form: the last 32 bits are the real address."""


class NotPublic(Exception):
    """A host has an address that is none of the public network's. ``str()`` is a sentence for people."""


class NoAddress(Exception):
    """A host has no address at all. ``str()`` is a sentence for people."""


def is_public(address: str) -> bool:
    """Whether this IP address belongs to the public network, whatever it is wrapped in."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return _is_public_v4(found) if isinstance(found, IPv4Address) else _is_public_v6(found)


def _is_public_v4(address: IPv4Address) -> bool:
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _is_public_v6(address: IPv6Address) -> bool:
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
    if inner is None and any(address in network for network in _CARRIES_IPV4_AT_END):
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
    if inner is not None:
        return _is_public_v4(inner)
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_site_local)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system finds them. Raises :class:`NoAddress`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NoAddress(f"There is no host {host[:100]}.") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
