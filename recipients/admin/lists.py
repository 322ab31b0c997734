"""Lists and custom attributes."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaign import ui
from recipients.models import AttributeDefinition, ListMembership, RecipientList


@ui.register(RecipientList)
class RecipientListAdmin(ui.ModelAdmin):
    """Named groups of recipients."""

    fields = ["name", "description"]
    list_display = ["name", "people", "created_at"]
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecipientList]:
        """With the number of members, counted in the index of each list that is shown and of no other."""
        queryset: QuerySet[RecipientList] = super().get_queryset(request)
        members = ListMembership.objects.filter(list=OuterRef("pk")).order_by().values("list").annotate(n=Count("*"))
        counted = Subquery(members.values("n"), output_field=IntegerField())
        return queryset.annotate(people_count=Coalesce(counted, 0))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Counts: nobody reads a million names, and the people themselves stay."""
        lists = list(objs)
        members = ListMembership.objects.filter(list__in=lists).count()
        denied = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        names = [f"List “{chosen}”. The people on it stay." for chosen in lists]
        return names, {"lists": len(lists), "people taken off a list": members}, denied, []

    @admin.display(description="People", ordering="people_count")
    def people(self, chosen: Any) -> SafeString:
        """How many are on the list, leading to them."""
        address = f"{reverse('admin:recipients_recipient_changelist')}?list={chosen.pk}"
        return format_html('<a href="{}" class="c-link">{}</a>', address, f"{chosen.people_count:,}")


@ui.register(AttributeDefinition)
class AttributeDefinitionAdmin(ui.ModelAdmin):
    """Custom attributes of recipients."""

    fields = ["name", "label", "kind"]
    list_display = ["name", "label", "kind", "written_as"]

    @admin.display(description="In a content")
    def written_as(self, definition: AttributeDefinition) -> str:
        """How authors write it."""
        return f"{{{{ recipient.{definition.name} }}}}"
