"""Services that people agree to."""

from django.conf import settings
from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaign import ui
from recipients.models import Service


@ui.register(Service)
class ServiceAdmin(ui.ModelAdmin):
    """What a consent is for; who agreed stands on the recipient's page."""

    fieldsets = [
        (None, {"fields": ["name", "description", "is_public"]}),
        ("Subscription form", {"fields": ["has_form", "form_address", "sender_name", "sender_address"]}),
    ]
    readonly_fields = ["form_address"]
    list_display = ["name", "is_public", "has_form", "created_at"]
    search_fields = ["name"]

    @admin.display(description="Address of the form")
    def form_address(self, service: Service) -> SafeString | str:
        """Where the form is, once there is one."""
        if not (service.pk and service.has_form):
            return "Saved with a form, the service has one."
        address = f"{settings.PUBLIC_URL}{reverse('subscribe', args=[service.pk])}"
        return format_html('<a href="{}" class="c-link">{}</a>', address, address)
