"""Limits of recipient domains, and which domains are slowed down just now."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from campaign import ui
from deliveries.models import DomainLimit
from deliveries.sending.throttle import slowed_domains


@ui.register(DomainLimit)
class DomainLimitAdmin(ui.ModelAdmin):
    """How much a recipient domain gets."""

    list_display = ["domain", "messages_per_second", "note"]
    search_fields = ["domain", "note"]
    search_help_text = "Domain or note"
    actions = None
    list_before_template = "deliveries/slowed_domains.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, below what the servers themselves bring about."""
        return super().changelist_view(request, {"slowed": slowed_domains(), **(extra_context or {})})
