"""The admin of a table with one row: its form is the page."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from campaign import ui


class OnlyRowAdmin(ui.ModelAdmin):
    """Nothing to add or delete. The model's manager has ``ensured``, which gives the row."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The form of the row."""
        return redirect(
            f"admin:{self.opts.app_label}_{self.opts.model_name}_change", self.model._default_manager.ensured().pk
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """There is one already."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """There is always one."""
        return False
