"""Services that people agree to."""

from campaign import ui
from recipients.models import Service


@ui.register(Service)
class ServiceAdmin(ui.ModelAdmin):
    """What a consent is for; who agreed stands on the recipient's page."""

    fields = ["name", "description", "is_public"]
    list_display = ["name", "is_public", "created_at"]
    search_fields = ["name"]
