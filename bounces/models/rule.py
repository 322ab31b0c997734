"""The rules, as people keep them."""

from collections.abc import Mapping
from typing import Any, Final

from django.db import models

from bounces.qualification import DEFAULTS, Rule
from deliveries.sending.verdict import FailureType, Reason

FIELDS: Final = ("pattern", "type", "reason", "comment", "general", "position")
"""What a rule says; the rest is where it comes from."""

STEP: Final = 100
"""Between the places of the rules that come with the project, so that others find room."""


class BounceRule(models.Model):
    """One line of the table: texts of servers, and what they mean. The first rule that matches decides."""

    name = models.CharField(max_length=100, unique=True)
    position = models.PositiveIntegerField(
        default=50,
        help_text="Rules are tried from the smallest number up; those that come with the project have 100, 200 …",
    )
    pattern = models.TextField(
        "texts",
        help_text="One regular expression a line; one of them must occur. The server's text is tried in small letters "
        "on one line, with * for each address (write \\*) and #url# for each link.",
    )
    type = models.CharField(
        "failure type", max_length=7, choices=[(each.value, each.value.capitalize()) for each in FailureType]
    )
    reason = models.PositiveSmallIntegerField(choices=[(each.value, each.label) for each in Reason])
    comment = models.TextField(blank=True)
    general = models.BooleanField(
        "only where the status code says nothing",
        default=False,
        help_text="Tried on the server's own words alone, and overruled by a status code that means something.",
    )
    is_active = models.BooleanField("active", default=True)
    shipped = models.JSONField(null=True, editable=False, help_text="What came with the project; null for own rules.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = "bounce rule"

    def __str__(self) -> str:
        return self.name

    @property
    def is_default(self) -> bool:
        """It came with the project."""
        return self.shipped is not None

    @property
    def is_edited(self) -> bool:
        """Somebody changed what came with the project."""
        return self.shipped is not None and self.said() != self.shipped

    @property
    def offered(self) -> Mapping[str, Any] | None:
        """What this version of the project has for it; None where that is what the rule says, or nothing."""
        newest = shipped_rules().get(self.name) if self.is_default else None
        return newest if newest is not None and newest != self.said() else None

    def said(self) -> dict[str, Any]:
        """What the rule says, by field."""
        return {name: getattr(self, name) for name in FIELDS}

    def as_rule(self) -> Rule:
        """The rule as it is applied."""
        return Rule(self.name, self.pattern, FailureType(self.type), Reason(self.reason), self.comment, self.general)


def shipped_rules() -> dict[str, dict[str, Any]]:
    """The rules that come with this version, by name."""
    return {
        rule.name: {
            "pattern": rule.pattern.strip(),
            "type": rule.type.value,
            "reason": rule.reason.value,
            "comment": rule.comment,
            "general": rule.general,
            "position": STEP * (index + 1),
        }
        for index, rule in enumerate(DEFAULTS.rules)
    }
