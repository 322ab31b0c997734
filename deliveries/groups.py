"""The groups that a new installation comes with. Made when they are missing, never changed afterwards."""

from collections.abc import Mapping
from typing import Any, Final

from django.apps import AppConfig, apps
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

CONTENT: Final = ("delivery", "deliverytemplate", "personalizationblock")
PEOPLE: Final = (
    "recipient",
    "recipientlist",
    "listmembership",
    "recipientimport",
    "attributedefinition",
    "savedquery",
    "service",
    "seedgroup",
    "seedaddress",
)
BLOCKED: Final = ("quarantine", "denylist")
RETURNED: Final = ("bouncemail", "bouncerule", "unqualifiedtext", "quarantinepolicy")
INSTALLATION: Final = (
    "route",
    "bouncemailbox",
    "senderdomainroute",
    "archive",
    "domainlimit",
    "dkimkey",
    "platformdefaults",
    "typology",
    "typologycheck",
    "machinerule",
)

_EVERYTHING_SEEN = Q(codename__startswith="view_")

GROUPS: Final[Mapping[str, Q]] = {
    "Marketer": _EVERYTHING_SEEN
    | Q(content_type__model__in=[*CONTENT[:2], *PEOPLE], codename__regex="^(add|change|delete)_")
    | Q(codename__endswith="_personalizationblock"),
    "Approver": _EVERYTHING_SEEN | Q(codename__in=["start_delivery", "control_delivery"]),
    "Operator": _EVERYTHING_SEEN
    | Q(codename__in=["control_delivery", "export_recipient", "erase_recipient"])
    | Q(content_type__model__in=[*INSTALLATION, *BLOCKED, *RETURNED], codename__regex="^(add|change|delete)_"),
}
"""Name, and the rights in our apps: marketers prepare, approvers start, operators run the machines."""


def make_groups(app_config: AppConfig, **_: Any) -> None:
    """Make the groups that do not exist (after each migration, when the rights of every app exist)."""
    last = [each for each in apps.get_app_configs() if each.models_module is not None][-1]
    if app_config is not last:
        return
    ours = Permission.objects.filter(content_type__app_label__in=["bounces", "deliveries", "recipients", "tracking"])
    for name, rights in GROUPS.items():
        group, created = Group.objects.get_or_create(name=name)
        if created:
            group.permissions.set(ours.filter(rights))
