"""The rules that come with the project, brought into the database without overwriting what somebody changed."""

import tomllib
from pathlib import Path
from typing import Any

from tracking.models import MachineRule

RULES = Path(__file__).with_name("rules.toml")


def shipped() -> list[dict[str, Any]]:
    """Field values of each rule."""
    rules = tomllib.loads(RULES.read_text(encoding="utf-8"))["rule"]
    return [{**rule, "pattern": rule.get("pattern", "").strip()} for rule in rules]


def update_rules(**_: Any) -> None:
    """Write what is new, and newer versions of what nobody changed; switched off stays switched off.

    Called after each migration.
    """
    known = {rule.key: rule for rule in MachineRule.objects.exclude(key=None)}
    for values in shipped():
        rule = known.get(values["key"])
        if rule is None:
            MachineRule.objects.create(**values)
        elif not rule.is_changed and rule.version < values["version"]:
            MachineRule.objects.filter(pk=rule.pk).update(**values)


def reset(rule: MachineRule) -> None:
    """Give a rule its shipped values again; a rule that did not come with the project stays as it is."""
    for values in shipped():
        if values["key"] == rule.key:
            MachineRule.objects.filter(pk=rule.pk).update(**values, is_changed=False)
