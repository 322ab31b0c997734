"""*Save and test the connection*: a button beside *Save* of what one can connect with."""

from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from campaign import ui

ASKED = "_test"
"""Name of the button."""


class _Saved(HttpResponseRedirect):
    """Back to the form of a row that was saved to be tested."""

    def __init__(self, row: Model) -> None:
        options = row._meta
        super().__init__(reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk]))
        self.row = row


class ConnectionAdmin(ui.ModelAdmin):
    """Forms of rows that one can connect with: what is typed is saved first, so that what is tested is what is seen."""

    refusals: ClassVar[tuple[type[Exception], ...]]
    """What :meth:`look` raises where it cannot connect; ``str()`` is a sentence for people."""

    def look(self, row: Any) -> str:
        """Connect, log in, say goodbye; return a sentence that says what was reached."""
        raise NotImplementedError

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form; once it is saved, and the transaction over, the test if it was asked for."""
        context = {**(extra_context or {}), "connection_test": ASKED}
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        if isinstance(response, _Saved):
            self._tell(request, response.row)
        return response

    def response_add(self, request: HttpRequest, obj: Model, post_url_continue: Any = None) -> HttpResponse:
        """Back to the form where the connection is to be tested."""
        return _Saved(obj) if ASKED in request.POST else super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        """Back to the form where the connection is to be tested."""
        return _Saved(obj) if ASKED in request.POST else super().response_change(request, obj)

    def _tell(self, request: HttpRequest, row: Model) -> None:
        try:
            messages.success(request, f"Saved. {self.look(row)}")
        except self.refusals as error:
            messages.error(request, f"Saved, but the connection does not work. {error}")
