"""Archives of exact copies."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest

from campaign import ui
from deliveries.models import Archive, ArchiveCopy, Delivery, DeliveryTemplate


class ArchiveForm(forms.ModelForm[Archive]):
    """An archive."""

    class Meta:
        model = Archive
        fields = ("name", "address", "route", "stores_files", "policy", "networks", "user_agents")
        widgets: ClassVar[dict[str, Any]] = {
            "networks": ui.Textarea(attrs={"rows": 3}),
            "user_agents": ui.Textarea(attrs={"rows": 3}),
        }


@ui.register(Archive)
class ArchiveAdmin(ui.ModelAdmin):
    """Where copies go."""

    form = ArchiveForm
    list_display = ["name", "address", "route", "stores_files", "policy"]
    list_select_related = ["route"]
    actions = None

    def save_model(self, request: HttpRequest, obj: Archive, form: Any, change: Any) -> None:
        """Say so when copies would travel in plain text."""
        super().save_model(request, obj, form, change)
        if obj.address and obj.route is not None and obj.route.sends_in_plain_text:
            messages.warning(
                request,
                f"Copies hold personal data, and the route “{obj.route}” does not encrypt them. Choose one with TLS.",
            )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What still needs the archive, in numbers: its copies may be millions."""
        archives = list(objs)
        users = {
            "deliveries": Delivery.objects.filter(archive__in=archives).count(),
            "delivery templates or the platform's defaults": DeliveryTemplate._base_manager.filter(
                archive__in=archives
            ).count(),
        }
        in_use = [
            f"Used by {what}: {count:,}. Choose another archive there first." for what, count in users.items() if count
        ]
        if ArchiveCopy.objects.filter(archive__in=archives).exists():
            in_use.append("It has copies. It stays, so that their states can be read.")
        denied = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        return [f"Archive “{archive}”" for archive in archives], {"archives": len(archives)}, denied, in_use
