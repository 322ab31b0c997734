"""Whom not to write to: quarantine (addresses) and denylist (people)."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaign import ui
from campaign.lib.paging import EstimatedPaginator
from campaign.only_row import OnlyRowAdmin
from recipients import denylist, quarantine
from recipients.addresses import AddressError, key
from recipients.admin.outage import outage_page
from recipients.models import Denylist, Quarantine, QuarantinePolicy

TAKEN_OFF = "taken off the denylist in the administration"


class QuarantineForm(forms.ModelForm[Quarantine]):
    """An address and why it is held back."""

    def clean_address_key(self) -> str:
        """In the form in which addresses are compared."""
        try:
            return key(self.cleaned_data["address_key"])
        except AddressError as error:
            raise forms.ValidationError(str(error)) from error


@ui.register(Quarantine)
class QuarantineAdmin(ui.ModelAdmin):
    """Addresses that fail, and those of which a person decided."""

    form = QuarantineForm
    fields = [
        "address_key", "status", "reason", "text", "errors", "errors_since", "last_error_at", "rule", "delivery",
        "created_at", "updated_at",
    ]  # fmt: skip
    readonly_fields = ["errors", "errors_since", "last_error_at", "rule", "delivery", "created_at", "updated_at"]
    list_display = ["address_key", "status", "reason", "errors", "last_error_at", "words", "created_at"]
    list_filter = ["status", "reason"]
    search_fields = ["address_key__startswith"]
    search_help_text = "The beginning of an e-mail address"
    paginator = EstimatedPaginator
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()
    actions = ["release", "allow_always"]
    change_list_template = "recipients/quarantine_list.html"
    list_before_template = "recipients/quarantine_links.html"

    def get_urls(self) -> list[URLPattern]:
        """With the page that undoes a provider's outage."""
        view = ui.site.admin_view(outage_page)
        return [path("outage/", view, name="recipients_quarantine_outage"), *super().get_urls()]

    @admin.display(description="the server's words")
    def words(self, record: Quarantine) -> str:
        """The beginning of them."""
        return record.text if len(record.text) <= 120 else f"{record.text[:120]}…"

    @admin.display(description="delivery")
    def delivery(self, record: Quarantine) -> SafeString | str:
        """Whose message failed last."""
        if record.delivery_id is None:
            return "–"
        link = reverse("admin:deliveries_delivery_dashboard", args=[record.delivery_id])
        return format_html('<a class="c-link" href="{}">Delivery {}</a>', link, record.delivery_id)

    @admin.action(description="Release the chosen addresses", permissions=["change"])
    def release(self, request: HttpRequest, chosen: QuerySet[Quarantine]) -> None:
        """Allow the chosen addresses again."""
        count = quarantine.release(Quarantine.objects.filter(pk__in=chosen.values("pk")))
        messages.success(request, f"{count:,} addresses may be written to again.")

    @admin.action(description="Always write to the chosen addresses (allowlist)", permissions=["change"])
    def allow_always(self, request: HttpRequest, chosen: QuerySet[Quarantine]) -> None:
        """Whatever their servers answer."""
        count = quarantine.allow_always(Quarantine.objects.filter(pk__in=chosen.values("pk")))
        messages.success(request, f"{count:,} addresses are on the allowlist: their errors are not counted any more.")


@ui.register(QuarantinePolicy)
class QuarantinePolicyAdmin(OnlyRowAdmin):
    """When errors quarantine, and when they are forgotten: one form."""

    fieldsets = [
        (None, {"fields": ["tolerated_errors", "hours_between_errors"]}),
        ("When errors are forgotten", {"fields": ["quiet_days", "quiet_days_if_full", "proving_days"]}),
        ("Outages of a provider", {"fields": ["outage_addresses", "outage_days"]}),
    ]


@ui.register(Denylist)
class DenylistAdmin(ui.ModelAdmin):
    """People who asked not to be written to."""

    autocomplete_fields = ["recipient"]
    fields = ["recipient", "source"]
    list_display = ["recipient", "source", "created_at"]
    list_select_related = ["recipient"]
    search_fields = ["recipient__address_key__startswith"]
    search_help_text = "The beginning of an e-mail address"
    paginator = EstimatedPaginator

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The person of an entry stays."""
        return ["recipient"] if obj else []

    def save_model(self, request: HttpRequest, obj: Denylist, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's signature)
        """With a line in the person's history; what was about to leave for this person does not."""
        if change:
            super().save_model(request, obj, form, change)
            return
        denylist.deny(obj.recipient, source=obj.source, by=request.user.get_username())
        obj.pk = Denylist.objects.get(recipient=obj.recipient).pk

    def delete_model(self, request: HttpRequest, obj: Denylist) -> None:
        """Take the person off, with a line in the history."""
        denylist.allow(obj.recipient, source=TAKEN_OFF, by=request.user.get_username())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Denylist]) -> None:
        """Each as if it were the only one."""
        for entry in queryset.select_related("recipient"):
            self.delete_model(request, entry)
