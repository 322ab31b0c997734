"""The deliveries app in the admin: importing this registers everything, the home page included."""

from deliveries.admin import block, delivery, dkim_key, route, template
from deliveries.pages import home

__all__ = ["block", "delivery", "dkim_key", "home", "route", "template"]
