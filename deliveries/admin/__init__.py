"""The deliveries app in the admin: importing this registers everything, the home page included."""

from deliveries.admin import block, delivery, dkim_key, domain_limit, route, template
from deliveries.pages import home

__all__ = ["block", "delivery", "dkim_key", "domain_limit", "home", "route", "template"]
