"""The deliveries app in the admin: importing this registers everything, the home page included."""

from deliveries.admin import block, delivery, route, template
from deliveries.pages import home

__all__ = ["block", "delivery", "home", "route", "template"]
