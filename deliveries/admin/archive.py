"""Archives of exact copies."""

from typing import Any, ClassVar

from django import forms

from campaign import ui
from deliveries.models import Archive


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
