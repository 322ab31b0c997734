"""The deliveries app in the admin: importing this registers everything, the home page included."""

from deliveries.admin import (
    archive,
    audit,
    block,
    delivery,
    dkim_key,
    domain_limit,
    platform,
    route,
    seed,
    template,
    typology,
)
from deliveries.pages import home

__all__ = [
    "archive",
    "audit",
    "block",
    "delivery",
    "dkim_key",
    "domain_limit",
    "home",
    "platform",
    "route",
    "seed",
    "template",
    "typology",
]
