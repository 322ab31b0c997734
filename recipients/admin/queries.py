"""Saved queries: the builder, which works by keyboard and shows how many people it finds while one builds."""

import json
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from campaign import ui
from recipients.models import SavedQuery
from recipients.queries.ask import count
from recipients.queries.catalogue import describe
from recipients.queries.compile import compiled
from recipients.queries.definition import QueryProblem

MOST_OCTETS = 1_000_000


class BuilderInput(ui.Textarea):
    """The definition as JSON, which the script in ``campaign/static/campaign/query.js`` turns into a form."""

    template_name = "recipients/widgets/query.html"

    class Media:
        js = ["campaign/query.js"]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """With what can be asked."""
        return {**super().get_context(name, value, attrs), "catalogue": describe(), "catalogue_id": f"{name}_catalogue"}


class QueryForm(forms.ModelForm[SavedQuery]):
    """A name and conditions."""

    class Meta:
        model = SavedQuery
        fields = ["name", "description", "definition"]
        widgets = {"definition": BuilderInput, "description": ui.Textarea(attrs={"rows": 2})}
        labels = {"definition": "Conditions"}

    def clean_definition(self) -> Any:
        """Every condition can be asked."""
        definition = self.cleaned_data["definition"]
        try:
            compiled(definition)
        except QueryProblem as problem:
            raise forms.ValidationError(str(problem)) from problem
        return definition


@ui.register(SavedQuery)
class SavedQueryAdmin(ui.ModelAdmin):
    """Conditions on recipients under a name, for targets of deliveries."""

    form = QueryForm
    list_display = ["name", "description", "updated_at", "created_by"]
    list_select_related = ["created_by"]
    search_fields = ["name"]

    def get_urls(self) -> list[URLPattern]:
        """The live count."""
        own = path("count/", ui.site.admin_view(count_page), name="recipients_savedquery_count")
        return [own, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: SavedQuery, form: Any, change: Any) -> None:
        """Remember who made it."""
        if not change:
            obj.created_by_id = request.user.pk
        super().save_model(request, obj, form, change)


@require_POST
def count_page(request: HttpRequest) -> JsonResponse:
    """How many people a definition finds now, or the sentence that says why it cannot be used."""
    if not request.user.has_perm("recipients.view_savedquery"):
        raise PermissionDenied
    try:
        definition = json.loads(request.body) if len(request.body) <= MOST_OCTETS else None
        return JsonResponse({"count": count(definition)})
    except (QueryProblem, ValueError, RecursionError) as problem:
        sentence = str(problem) if isinstance(problem, QueryProblem) else "The query cannot be read."
        return JsonResponse({"problem": sentence})
