"""The audit trail, to look at."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from campaign import ui
from campaign.only_read import OnlyRead
from deliveries.models import AuditLine


@ui.register(AuditLine)
class AuditLineAdmin(OnlyRead, ui.ModelAdmin):
    """What people did with deliveries, as acts write it."""

    list_display = ["at", "about", "sentence", "who"]
    list_display_links = None
    list_filter = [("user", admin.RelatedOnlyFieldListFilter)]
    date_hierarchy = "at"
    search_fields = ["delivery_label", "user_name", "sentence"]
    search_help_text = "Delivery, person, or what was done: acknowledged, confirmed, edited …"
    actions = None

    @admin.display(description="delivery", ordering="delivery_label")
    def about(self, line: AuditLine) -> Any:
        """The delivery, as it was called then; a link while there is one."""
        if line.delivery_id is None:
            return line.delivery_label
        page = reverse("admin:deliveries_delivery_dashboard", args=[line.delivery_id])
        return format_html('<a href="{}" class="c-link">{}</a>', page, line.delivery_label)

    def who(self, line: AuditLine) -> str:
        """The person, by the name they had then."""
        return line.user_name or "The system"

    who.admin_order_field = "user_name"  # type: ignore[attr-defined]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """The page of a delivery leads to its own lines."""
        return lookup == "delivery__id__exact" or super().lookup_allowed(lookup, value, request)
