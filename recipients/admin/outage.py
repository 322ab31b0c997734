"""An outage of a provider undone in one action: choose, see how many, release."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from campaign import ui
from campaign.lib.clock import now
from recipients import quarantine
from recipients.models import Quarantine, QuarantineStatus

LATELY = timedelta(days=30)
MOST = 20
EXAMPLES = 10


class OutageForm(forms.Form):
    """Which addresses."""

    domain = forms.CharField(
        required=False, max_length=255, widget=ui.TextInput(), help_text="Such as example.com. Empty: any."
    )
    rule = forms.CharField(
        required=False, max_length=100, widget=ui.TextInput(), label="Rule that decided", help_text="Empty: any."
    )
    since = forms.DateTimeField(label="From", widget=ui.TextInput(), help_text="Such as 2026-11-27 08:00 (UTC).")
    until = forms.DateTimeField(label="Until", widget=ui.TextInput())

    def clean(self) -> dict[str, Any]:
        """A period alone would release everybody."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not (cleaned.get("domain") or cleaned.get("rule")):
            raise forms.ValidationError("Name a domain, a rule, or both.")
        return cleaned


def outage_page(request: HttpRequest) -> HttpResponse:
    """Ask, count, and release what was counted."""
    if not request.user.has_perm("recipients.change_quarantine"):
        raise PermissionDenied
    given = request.POST if request.method == "POST" else request.GET
    soon = now().replace(second=0, microsecond=0) + timedelta(minutes=1)
    form = OutageForm(given or None, initial={"since": soon - timedelta(days=1), "until": soon})
    found = quarantine.held_by(**form.cleaned_data) if form.is_bound and form.is_valid() else None
    if found is not None and request.method == "POST":
        count = quarantine.release(found)
        messages.success(request, f"{count:,} addresses may be written to again.")
        return redirect("admin:recipients_quarantine_changelist")
    return ui.page(
        request,
        "recipients/outage.html",
        title="Undo an outage",
        form=form,
        count=found.count() if found is not None else None,
        examples=list(found[:EXAMPLES]) if found is not None else [],
        suspects=_suspects(),
    )


def _suspects() -> list[Any]:
    """Domains and rules that put the most addresses in quarantine lately."""
    lately = Quarantine.objects.filter(status=QuarantineStatus.QUARANTINE, last_error_at__gt=now() - LATELY)
    return list(
        lately.order_by()
        .values("domain", "rule")
        .annotate(count=Count("pk"), since=Min("last_error_at"), until=Max("last_error_at"))
        .filter(count__gt=1)
        .order_by("-count", "domain")[:MOST]
    )
