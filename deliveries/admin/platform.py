"""The platform's defaults: one form, nothing to add or delete."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from campaign import ui
from deliveries.admin.properties import PropertiesAdmin
from deliveries.admin.tabs import APPROVAL, DELIVERY, EXCLUSIONS, SENDER, SMTP, TRACKING, TYPOLOGY, VALIDITY
from deliveries.models import PlatformDefaults


@ui.register(PlatformDefaults)
class PlatformDefaultsAdmin(PropertiesAdmin):
    """What new templates begin with."""

    fieldsets = [SENDER, EXCLUSIONS, DELIVERY, VALIDITY, TRACKING, SMTP, TYPOLOGY, APPROVAL]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """There is one row; its form is the page."""
        return redirect("admin:deliveries_platformdefaults_change", PlatformDefaults.objects.ensured().pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There is one already."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """There is always one."""
        return False
