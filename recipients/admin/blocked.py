"""Whom not to write to: quarantine (addresses) and denylist (people)."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from campaign import ui
from campaign.lib.paging import EstimatedPaginator
from recipients import denylist, quarantine
from recipients.addresses import AddressError, key
from recipients.models import Denylist, Quarantine

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
    """Addresses that must not be written to because they fail."""

    form = QuarantineForm
    fields = ["address_key", "status", "reason", "text"]
    list_display = ["address_key", "status", "reason", "updated_at"]
    list_filter = ["status"]
    search_fields = ["address_key__startswith"]
    search_help_text = "The beginning of an e-mail address"
    paginator = EstimatedPaginator
    actions = ["release"]

    @admin.action(description="Release the chosen addresses", permissions=["change"])
    def release(self, request: HttpRequest, chosen: QuerySet[Quarantine]) -> None:
        """Allow the chosen addresses again."""
        count = quarantine.release(chosen)
        messages.success(request, f"{count:,} addresses may be written to again.")


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
