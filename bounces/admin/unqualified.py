"""Texts that no rule knows: the most frequent first, made a rule by one click."""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from bounces import rules, unqualified
from bounces.models import TextState, UnqualifiedText
from campaign import ui
from campaign.lib.paging import EstimatedPaginator
from deliveries.sending.verdict import FailureType, Reason

OFFERED = (
    Reason.USER_UNKNOWN, Reason.ACCOUNT_DISABLED, Reason.MAILBOX_FULL, Reason.INVALID_DOMAIN, Reason.UNREACHABLE,
    Reason.REFUSED, Reason.ERROR_IGNORED,
)  # fmt: skip
"""What a server's words can mean."""


_TO_CHOOSE: Final = ("", "Choose…")


class MakeRuleForm(forms.Form):
    """What a text means. Nothing is chosen beforehand: the rule judges people's addresses at once."""

    type = forms.ChoiceField(
        label="Failure type",
        choices=[_TO_CHOOSE, *((each.value, each.value.capitalize()) for each in FailureType)],
        widget=ui.Select,
    )
    reason = forms.TypedChoiceField(
        choices=[_TO_CHOOSE, *((each.value, each.label) for each in OFFERED)], coerce=int, widget=ui.Select
    )


@ui.register(UnqualifiedText)
class UnqualifiedTextAdmin(ui.ModelAdmin):
    """To qualify."""

    fields = ["text", "sample", "count", "type", "decided_by", "first_at", "last_at", "state"]
    list_display = ["text_shown", "count", "type", "decided_by", "last_at"]
    list_filter = ["state", "type"]
    search_fields = ["text"]
    search_help_text = "A part of the text"
    paginator = EstimatedPaginator
    actions = ["leave"]
    change_form_template = "bounces/unqualified_form.html"
    change_list_template = "bounces/unqualified_list.html"
    list_before_template = "bounces/unqualified_links.html"

    def get_urls(self) -> list[URLPattern]:
        """With the click that makes a rule, and the one that judges all by the rules there are."""
        return [
            path("<int:text_id>/make-rule/", ui.site.admin_view(self.make_view), name="bounces_unqualifiedtext_make"),
            path("judge/", ui.site.admin_view(self.judge_view), name="bounces_unqualifiedtext_judge"),
            *super().get_urls(),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Nobody writes a server's words."""
        return [name for name in self.fields if name != "state"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They come by themselves."""
        return False

    @admin.display(description="text", ordering="text")
    def text_shown(self, text: UnqualifiedText) -> str:
        """The beginning of it."""
        return text.text if len(text.text) <= 160 else f"{text.text[:160]}…"

    @admin.action(description="Leave the chosen texts as they are", permissions=["change"])
    def leave(self, request: HttpRequest, chosen: QuerySet[UnqualifiedText]) -> None:
        """They stay counted and need no rule."""
        count = unqualified.leave(chosen)
        messages.success(request, f"{count:,} texts are left as they are; the filter “Left as it is” shows them.")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """First of all what waits."""
        if not request.GET and request.method == "GET" and self.has_view_permission(request):
            return redirect(f"{request.path}?state__exact={TextState.TO_QUALIFY}")
        return super().changelist_view(request, extra_context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With the form that makes a rule."""
        text: UnqualifiedText | None = context.get("original")
        if text is not None:
            context |= {
                "make_form": MakeRuleForm(),
                "may_make": _may_make(request),
                "pattern": unqualified.pattern_of(text.text),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    @staticmethod
    def make_view(request: HttpRequest, text_id: int) -> HttpResponse:
        """Make the rule and judge the past by it."""
        if not _may_make(request):
            raise PermissionDenied
        text = UnqualifiedText.objects.filter(pk=text_id).first()
        form = MakeRuleForm(request.POST)
        if text is None or request.method != "POST" or not form.is_valid():
            raise Http404
        rule, count = unqualified.make_rule(
            text, FailureType(form.cleaned_data["type"]), Reason(form.cleaned_data["reason"])
        )
        messages.success(
            request,
            f"The rule “{rule}” is in force; {_failures(count)} of the past follow{'s' if count == 1 else ''} it.",
        )
        return redirect("admin:bounces_bouncerule_change", rule.pk)

    def judge_view(self, request: HttpRequest) -> HttpResponse:
        """Judge what waits by the rules as they are now."""
        if not _may_make(request):
            raise PermissionDenied
        if request.method == "POST":
            rules.forget()
            count = unqualified.judge_past()
            messages.success(request, f"{_failures(count)} of the past are known to a rule now.")
        return redirect("admin:bounces_unqualifiedtext_changelist")


def _may_make(request: HttpRequest) -> bool:
    return request.user.has_perm("bounces.add_bouncerule")


def _failures(count: int) -> str:
    return "1 failure" if count == 1 else f"{count:,} failures"
