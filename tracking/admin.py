"""The rules that tell machines from people, and what could not be kept."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from campaign import ui
from campaign.only_read import OnlyRead
from tracking.default_rules import reset
from tracking.machines import network_of
from tracking.models import EventLoss, MachineRule, RuleKind


class MachineRuleForm(forms.ModelForm[MachineRule]):
    """A rule."""

    class Meta:
        model = MachineRule
        fields = ("name", "kind", "pattern", "seconds", "verdict", "position", "is_active", "source")
        widgets: ClassVar[dict[str, Any]] = {"pattern": ui.Textarea(attrs={"rows": 8, "spellcheck": "false"})}

    def clean(self) -> dict[str, Any]:
        """A rule that looks at networks or user agents names some."""
        cleaned = super().clean() or self.cleaned_data
        kind, pattern = cleaned.get("kind"), cleaned.get("pattern", "")
        if kind in {RuleKind.NETWORK, RuleKind.USER_AGENT} and not pattern.strip():
            self.add_error("pattern", "Write one a line.")
        elif kind == RuleKind.NETWORK:
            try:
                for line in pattern.split():
                    network_of(line)
            except ValueError as error:
                self.add_error("pattern", ValidationError(str(error)))
        if kind in {RuleKind.DELAY, RuleKind.BURST, RuleKind.HONEYPOT} and not cleaned.get("seconds"):
            self.add_error("seconds", "Write a number of seconds.")
        return cleaned


@ui.register(MachineRule)
class MachineRuleAdmin(ui.ModelAdmin):
    """What counts as a machine."""

    form = MachineRuleForm
    list_display = ["name", "kind", "verdict", "position", "is_active", "origin"]
    list_filter = ["kind", "is_active"]
    search_fields = ["name", "pattern", "source"]
    search_help_text = "Name, pattern or source"
    actions = ["reset_selected"]

    @admin.display(description="from", ordering="is_changed")
    def origin(self, rule: MachineRule) -> str:
        """Whose it is."""
        if rule.key is None:
            return "Own"
        return "Edited" if rule.is_changed else "Comes with the project"

    def save_model(self, request: HttpRequest, obj: MachineRule, form: Any, change: Any) -> None:
        """A rule of the project that somebody changed stays as it is when the project has a newer version."""
        if obj.key and set(form.changed_data) - {"is_active"}:
            obj.is_changed = True
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: MachineRule | None = None) -> bool:
        """Rules of the project would come back: they are switched off instead."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.key is None)

    @admin.action(description="Reset to the project’s own rule", permissions=["change"])
    def reset_selected(self, request: HttpRequest, queryset: QuerySet[MachineRule]) -> None:
        """Undo what was changed in rules that come with the project."""
        own = list(queryset.exclude(key=None))
        for rule in own:
            reset(rule)
        messages.success(request, f"{len(own)} rules are the project’s own again.")


@ui.register(EventLoss)
class EventLossAdmin(OnlyRead, ui.ModelAdmin):
    """How many clicks and opens are missing in the figures, and why; web processes write them."""

    list_display = ["at", "count", "reason"]
    actions = None
