"""Delivery templates."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaign import ui
from deliveries.admin.properties import PropertiesAdmin, PropertiesForm
from deliveries.admin.tabs import (
    APPROVAL,
    ATTACHMENTS,
    CONTENT,
    DELIVERY,
    EXCLUSIONS,
    PROPERTIES,
    SMTP,
    TRACKING,
    TYPOLOGY,
    VALIDITY,
)
from deliveries.models import DeliveryTemplate, PlatformDefaults
from deliveries.models.template import NEVER_LOCKED
from deliveries.pages.templates import duplicate_page, picture

LOCKS = ("Locked fields", {"classes": ["tab"], "fields": ["locked"]})


def lockable() -> list[tuple[str, str]]:
    """Every property that deliveries can be kept from changing, with its words."""
    names = [name for name in DeliveryTemplate.property_names() if name not in NEVER_LOCKED]
    return [(name, str(DeliveryTemplate._meta.get_field(name).verbose_name).capitalize()) for name in names]  # type: ignore[union-attr]


class TemplateForm(PropertiesForm):
    """A template: properties, and which of them deliveries cannot change."""

    locked = forms.MultipleChoiceField(
        choices=lockable,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Locked fields",
        help_text="Deliveries made from this template show these fields and cannot change them.",
    )


@ui.register(DeliveryTemplate)
class DeliveryTemplateAdmin(PropertiesAdmin):
    """Content and properties to begin from."""

    form = TemplateForm
    fieldsets = [
        PROPERTIES,
        CONTENT,
        EXCLUSIONS,
        ATTACHMENTS,
        DELIVERY,
        VALIDITY,
        TRACKING,
        SMTP,
        TYPOLOGY,
        APPROVAL,
        LOCKS,
    ]
    list_display = ["label", "picture", "code", "subject", "updated_at", "use"]
    search_fields = ["label", "code"]
    search_help_text = "Label or code"
    actions = None
    change_form_outer_before_template = "deliveries/template_links.html"

    def get_urls(self) -> list[URLPattern]:
        """Pages of a template of ours."""
        pages = [
            ("<int:template_id>/picture/", picture, "picture"),
            ("<int:template_id>/duplicate/", duplicate_page, "duplicate"),
        ]
        own = [
            path(route, ui.site.admin_view(view), name=f"deliveries_deliverytemplate_{name}")
            for route, view, name in pages
        ]
        return [*own, *super().get_urls()]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new template begins with the platform's defaults."""
        values = PlatformDefaults.objects.current().shared()
        for name in ("label", "subject", "html", "text", "code", "description"):
            values.pop(name)
        return {**values, **super().get_changeform_initial_data(request)}

    def picture(self, template: DeliveryTemplate) -> SafeString:
        """What it looks like, small."""
        return picture_frame(template)

    @admin.display(description="delivery")
    def use(self, template: DeliveryTemplate) -> SafeString:
        """A link that starts a delivery from this template."""
        link = f"{reverse('admin:deliveries_delivery_create')}?template={template.pk}"
        return format_html(
            '<a href="{}" class="c-link">Create a delivery<span class="c-hidden"> from {}</span></a>',
            link,
            template.label,
        )


def picture_frame(template: DeliveryTemplate) -> SafeString:
    """A small frame with the template's content; it takes no focus and runs nothing."""
    return format_html(
        '<span class="c-picture"><iframe src="{}" title="Picture of {}" loading="lazy" sandbox tabindex="-1" '
        'scrolling="no"></iframe></span>',
        reverse("admin:deliveries_deliverytemplate_picture", args=[template.pk]),
        template.label,
    )
