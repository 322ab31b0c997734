"""Where the value of a property comes from: the platform, the template, or this delivery itself."""

from datetime import timedelta
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime

from campaign.lib.durations import spell
from deliveries.models import Delivery, DeliveryTemplate, PlatformDefaults, Properties

OWN = frozenset({"label", "code", "description", "subject", "html", "text", "link_choices"})
"""What makes a delivery this one; nobody expects it to be inherited."""

LONGEST = 60


def origins(properties: Properties, names: list[str]) -> dict[str, SafeString]:
    """A few words for each of these properties that is inherited or differs from what it was inherited from."""
    platform = PlatformDefaults.objects.current()
    template = properties.template if isinstance(properties, Delivery) else None
    inherited = [name for name in names if name not in OWN]
    return {name: _origin(properties, template, platform, name) for name in inherited}


def _origin(
    properties: Properties, template: DeliveryTemplate | None, platform: PlatformDefaults, name: str
) -> SafeString:
    own, default = getattr(properties, name), getattr(platform, name)
    if isinstance(properties, Delivery) and template is not None:
        given = getattr(template, name)
        if own != given:
            return format_html("Changed here; the template “{}” has: {}.", template, _shown(properties, name, given))
        if given != default:
            return format_html("From the template “{}”.", template)
    if own != default:
        return format_html("Set here; the platform has: {}.", _shown(properties, name, default))
    return mark_safe("Platform default.")


def _shown(properties: Properties, name: str, value: Any) -> str:
    field = properties._meta.get_field(name)
    if isinstance(value, bool):
        return "ticked" if value else "not ticked"
    if value is None or value == "":
        return "nothing"
    if isinstance(value, timedelta):
        return spell(value)
    if hasattr(value, "astimezone"):
        return f"{localtime(value):%Y-%m-%d %H:%M}"
    choices = dict(getattr(field, "flatchoices", ()) or ())
    text = str(choices.get(value, value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
