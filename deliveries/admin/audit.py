"""The audit trail, to look at."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from campaign import ui
from deliveries.models import AuditLine


@ui.register(AuditLine)
class AuditLineAdmin(ui.ModelAdmin):
    """What people did with deliveries; nobody changes it."""

    list_display = ["at", "delivery_label", "sentence", "user_name"]
    list_display_links = None
    list_filter = [("user", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["delivery_label", "user_name"]
    search_help_text = "Delivery or person"
    actions = None

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """The page of a delivery leads to its own lines."""
        return lookup == "delivery__id__exact" or super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Acts write it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It stays as it was written."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It stays."""
        return False
