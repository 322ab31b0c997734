"""Delivery templates."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaign import ui
from deliveries.admin.properties import PropertiesAdmin
from deliveries.admin.tabs import ATTACHMENTS, CONTENT, DELIVERY, PROPERTIES, SMTP, VALIDITY
from deliveries.models import DeliveryTemplate


@ui.register(DeliveryTemplate)
class DeliveryTemplateAdmin(PropertiesAdmin):
    """Content and properties to begin from."""

    fieldsets = [PROPERTIES, CONTENT, ATTACHMENTS, DELIVERY, VALIDITY, SMTP]
    list_display = ["label", "code", "subject", "updated_at", "use"]
    search_fields = ["label", "code"]
    search_help_text = "Label or code"
    actions = None

    def use(self, template: DeliveryTemplate) -> SafeString:
        """A link that starts a delivery from this template."""
        link = f"{reverse('admin:deliveries_delivery_create')}?template={template.pk}"
        return format_html(
            '<a href="{}" class="c-link">Create a delivery<span class="c-hidden"> from {}</span></a>',
            link,
            template.label,
        )

    use.short_description = "delivery"  # type: ignore[attr-defined]
