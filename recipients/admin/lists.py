"""Lists and custom attributes."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from campaign import ui
from recipients.models import AttributeDefinition, RecipientList


@ui.register(RecipientList)
class RecipientListAdmin(ui.ModelAdmin):
    """Named groups of recipients."""

    fields = ["name", "description"]
    list_display = ["name", "people", "created_at"]
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecipientList]:
        """With the number of members, in the same query."""
        queryset: QuerySet[RecipientList] = super().get_queryset(request)
        return queryset.annotate(people_count=Count("memberships"))

    @admin.display(description="People", ordering="people_count")
    def people(self, chosen: Any) -> str:
        """How many are on the list."""
        return f"{chosen.people_count:,}"


@ui.register(AttributeDefinition)
class AttributeDefinitionAdmin(ui.ModelAdmin):
    """Custom attributes of recipients."""

    fields = ["name", "label", "kind"]
    list_display = ["name", "label", "kind", "written_as"]

    @admin.display(description="In a content")
    def written_as(self, definition: AttributeDefinition) -> str:
        """How authors write it."""
        return f"{{{{ recipient.{definition.name} }}}}"
