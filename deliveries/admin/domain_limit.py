"""Limits of recipient domains."""

from campaign import ui
from deliveries.models import DomainLimit


@ui.register(DomainLimit)
class DomainLimitAdmin(ui.ModelAdmin):
    """How much a recipient domain gets."""

    list_display = ["domain", "messages_per_second", "note"]
    search_fields = ["domain", "note"]
    search_help_text = "Domain or note"
    actions = None
