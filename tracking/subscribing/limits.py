"""How often one place on the network may ask. Redis counts; without it the limits of the addresses hold alone."""

from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final

import redis
from django.conf import settings
from django.http import HttpRequest

from campaign.lib.brief_redis import brief_redis

MOST: Final = 20
PERIOD: Final = timedelta(hours=1)


def may_ask(request: HttpRequest) -> bool:
    """Whether this place has asked fewer than :data:`MOST` times within :data:`PERIOD`; this time counts."""
    name = f"subscribe:{place(request)}"
    try:
        with brief_redis().pipeline() as pipeline:
            pipeline.set(name, 0, ex=PERIOD, nx=True)
            pipeline.incr(name)
            count = pipeline.execute()[1]
    except redis.RedisError:
        return True
    return int(count) <= MOST


def place(request: HttpRequest) -> str:
    """The network that asks: an IPv4 address, or the 64 bits of an IPv6 address that one household has.

    Behind a proxy (``BEHIND_PROXY``) it is the address that the proxy saw, the last it appended.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    if settings.BEHIND_PROXY:
        address = request.headers.get("X-Forwarded-For", address).rpartition(",")[2].strip()
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
