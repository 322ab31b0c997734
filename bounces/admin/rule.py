"""Bounce rules: ordered, tried before they are saved, set back to what comes with the project."""

import difflib
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path

from bounces import rules, trial
from bounces.models import BounceRule, UnqualifiedText
from bounces.qualification import RuleError
from campaign import ui
from campaign.lib.primary_keys import primary_keys
from deliveries.sending.verdict import Reason

RECENT = 20


class BounceRuleForm(forms.ModelForm[BounceRule]):
    """A rule; what speaks against its expressions shows beside them."""

    class Meta:
        model = BounceRule
        fields = ["name", "position", "is_active", "pattern", "type", "reason", "general", "comment"]
        widgets = {"pattern": ui.Textarea(attrs={"rows": 10, "spellcheck": "false"})}

    def clean_pattern(self) -> str:
        """One line break between lines, whatever the browser sent."""
        return "\n".join(self.cleaned_data["pattern"].split("\r\n")).strip()

    def clean(self) -> dict[str, Any]:
        """Safe and fast, so that no server's words can stop a worker."""
        cleaned = super().clean() or self.cleaned_data
        if {"pattern", "type", "reason"} <= cleaned.keys():
            try:
                trial.check(
                    BounceRule(
                        name=cleaned.get("name") or self.instance.name or "draft",
                        pattern=cleaned["pattern"],
                        type=cleaned["type"],
                        reason=cleaned["reason"],
                    ).as_rule()
                )
            except RuleError as error:
                self.add_error("pattern", str(error))
        return cleaned


@ui.register(BounceRule)
class BounceRuleAdmin(ui.ModelAdmin):
    """What the words of servers mean."""

    form = BounceRuleForm
    fields = ["name", ("position", "is_active"), "pattern", ("type", "reason"), "general", "comment"]
    list_display = ["name", "position", "type", "reason", "is_active", "origin"]
    list_filter = ["type", "reason", "is_active"]
    search_fields = ["name", "pattern"]
    search_help_text = "A part of a name or of a text"
    ordering = ["position", "name"]
    actions = None
    list_before_template = "bounces/rule_links.html"
    change_form_template = "bounces/rule_form.html"

    def get_urls(self) -> list[URLPattern]:
        """With the page on which a text is tried, and the way back to what comes with the project."""
        return [
            path("try/", ui.site.admin_view(self.try_view), name="bounces_bouncerule_try"),
            path("<int:rule_id>/reset/", ui.site.admin_view(self.reset_view), name="bounces_bouncerule_reset"),
            *super().get_urls(),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: BounceRule | None = None) -> list[str]:
        """The name of what comes with the project is how the next version finds it."""
        return ["name"] if obj is not None and obj.is_default else []

    def has_delete_permission(self, request: HttpRequest, obj: BounceRule | None = None) -> bool:
        """What comes with the project is switched off instead: the next version would bring it back."""
        return (obj is None or not obj.is_default) and super().has_delete_permission(request, obj)

    @admin.display(description="from")
    def origin(self, rule: BounceRule) -> str:
        """Whose it is."""
        if not rule.is_default:
            return "Own"
        if rule.is_edited:
            return "Edited; a new version is offered" if _is_new(rule) else "Edited"
        return "Comes with the project"

    def save_model(self, request: HttpRequest, obj: BounceRule, form: Any, change: Any) -> None:
        """In force here at once, in every other process within seconds."""
        super().save_model(request, obj, form, change)
        rules.forget()

    def delete_model(self, request: HttpRequest, obj: BounceRule) -> None:
        """Out of force at once."""
        super().delete_model(request, obj)
        rules.forget()

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With what may be tried, and how the rule differs from what comes with the project."""
        rule: BounceRule | None = context.get("original")
        offered = rule.offered if rule is not None else None
        context |= {
            "samples": _samples(),
            "offered": offered,
            "is_new": rule is not None and _is_new(rule),
            "differences": _differences(rule, offered) if rule is not None and offered is not None else [],
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """Which rule decides on a text: by the rules as they are, or with the one that the form holds in its place."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context: dict[str, Any] = {"samples": _samples(), "text": _text(request.POST)}
        if request.method == "POST" and context["text"]:
            context |= _tried(request.POST, context["text"])
        if request.headers.get("HX-Request") == "true":
            return render(request, "bounces/tried.html", context)
        return ui.page(request, "bounces/try.html", title="Try the bounce rules", **context)

    def reset_view(self, request: HttpRequest, rule_id: int) -> HttpResponse:
        """Take over what this version of the project has for an edited rule."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        rule = BounceRule.objects.filter(pk=rule_id).first()
        if rule is None or rule.offered is None:
            raise Http404
        if request.method == "POST":
            rules.reset(rule)
            rules.forget()
            messages.success(request, f"“{rule}” says what comes with the project.")
        return redirect("admin:bounces_bouncerule_change", rule.pk)


def _is_new(rule: BounceRule) -> bool:
    """A version came with an upgrade after somebody had edited the former one."""
    return rule.offered is not None and rule.offered != rule.shipped


def _differences(rule: BounceRule, offered: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Lines of the rule that would go (-) and come (+)."""

    def lines(said: Mapping[str, Any]) -> list[str]:
        named = [f"{name}: {_words(name, said[name])}" for name in ("position", "type", "reason", "general", "comment")]
        return [*named, *str(said["pattern"]).splitlines()]

    return [(line[0], line[2:]) for line in difflib.ndiff(lines(rule.said()), lines(offered)) if line[0] in "+-"]


def _words(name: str, value: Any) -> str:
    return Reason(value).label if name == "reason" else str(value)


def _samples() -> list[UnqualifiedText]:
    """The latest texts that no rule knows."""
    return list(UnqualifiedText.objects.order_by("-last_at")[:RECENT])


def _text(posted: Any) -> str:
    """What was pasted, else the recent text that was chosen."""
    text = str(posted.get("try_text", "")).strip()
    if text:
        return text
    chosen = UnqualifiedText.objects.filter(pk__in=primary_keys([str(posted.get("try_sample", ""))]))
    return chosen.values_list("sample", flat=True).first() or ""


def _tried(posted: Any, text: str) -> dict[str, Any]:
    """The result, with the rule of the form in its place where a form was sent."""
    if "pattern" not in posted:
        return {"tried": trial.tried(text, rules.current())}
    row = BounceRule.objects.filter(pk__in=primary_keys([str(posted.get("rule_id", ""))])).first()
    form = BounceRuleForm(posted, instance=row or BounceRule())
    if row is not None and row.is_default:
        del form.fields["name"]
    if not form.is_valid():
        return {"problems": [str(error) for errors in form.errors.values() for error in errors]}
    try:
        return {"tried": trial.tried(text, trial.with_draft(form.instance)), "draft": form.instance}
    except RuleError as error:
        return {"problems": [str(error)]}
