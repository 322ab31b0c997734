"""Seed addresses and their groups."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from campaign import ui
from deliveries.models import SeedAddress, SeedGroup
from recipients.admin.attributes import AttributesAdmin, AttributesForm


class SeedForm(AttributesForm):
    """A seed address with a form field for each custom attribute."""

    class Meta:
        model = SeedAddress
        fields = ["address", "first_name", "last_name", "language", "time_zone", "mail_format", "groups"]


@ui.register(SeedAddress)
class SeedAddressAdmin(AttributesAdmin):
    """Addresses outside the target that receive the real send."""

    form = SeedForm
    list_display = ["address", "first_name", "last_name", "in_groups"]
    list_filter = ["groups"]
    search_fields = ["address"]
    search_help_text = "A part of an address"
    autocomplete_fields = ["groups"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who it is, what it is used for, what is known; what is left empty comes from a member of the target."""
        names = ["address", "groups", ("first_name", "last_name"), ("language", "time_zone"), "mail_format"]
        hint = "What is left empty is filled from a random member of the target."
        return [(None, {"fields": names, "description": hint}), *self.attribute_fieldsets()]

    @admin.display(description="groups")
    def in_groups(self, seed: SeedAddress) -> str:
        """The groups by name."""
        return ", ".join(group.name for group in seed.groups.all())

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the groups."""
        return super().get_queryset(request).prefetch_related("groups")


@ui.register(SeedGroup)
class SeedGroupAdmin(ui.ModelAdmin):
    """Seed addresses that a delivery takes together."""

    fields = ["name"]
    search_fields = ["name"]
