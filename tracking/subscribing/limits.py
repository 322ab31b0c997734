"""How often one place, and one network, may ask. Redis counts; without it the limits of the addresses hold alone."""

from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

import redis
from django.conf import settings
from django.http import HttpRequest

from campaign.lib.brief_redis import brief_redis

PERIOD: Final = timedelta(hours=1)
MOST: Final = 20
"""Times that one place may ask within :data:`PERIOD`."""

MOST_OF_NETWORK: Final = 60
"""Times that all places of one network may: whoever has many addresses has them side by side."""


def may_ask(request: HttpRequest) -> bool:
    """Whether this place and its network have asked few enough times within :data:`PERIOD`; this time counts."""
    limits = dict(zip(places(request), (MOST, MOST_OF_NETWORK), strict=True))
    try:
        with brief_redis().pipeline() as pipeline:
            for each in limits:
                pipeline.set(f"subscribe:{each}", 0, ex=PERIOD, nx=True)
                pipeline.incr(f"subscribe:{each}")
            counts = pipeline.execute()[1::2]
    except redis.RedisError:
        return True
    return all(int(count) <= most for count, most in zip(counts, limits.values(), strict=True))


def places(request: HttpRequest) -> tuple[str, str]:
    """Who asks, and the network around: an IPv4 address and its /24, or the /64 of an IPv6 address, which one
    household has, and its /48.

    Behind a proxy (``BEHIND_PROXY``) the address is the one that the proxy saw, the last it appended.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    if settings.BEHIND_PROXY:
        address = request.headers.get("X-Forwarded-For", address).rpartition(",")[2].strip()
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown", "unknown/"
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    one, around = (32, 24) if isinstance(parsed, IPv4Address) else (64, 48)
    return str(ip_network((parsed, one), strict=False)), str(ip_network((parsed, around), strict=False))
