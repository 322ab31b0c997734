"""Recipients: found by the beginning of an address or last name, edited with their custom attributes as fields."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest

from campaign import ui
from campaign.lib.paging import EstimatedPaginator
from recipients.addresses import AddressError, key
from recipients.admin.attributes import AttributesAdmin, AttributesForm
from recipients.models import ListMembership, Recipient, RecipientList, Subscription


class RecipientForm(AttributesForm):
    """A recipient with a form field for each custom attribute."""

    class Meta:
        model = Recipient
        fields = [
            "address", "first_name", "last_name", "language", "time_zone", "mail_format",
            "consent", "consent_at", "consent_source",
        ]  # fmt: skip


class MembershipInline(ui.TabularInline):
    """The lists a recipient is on."""

    model = ListMembership
    fields = ["list"]
    verbose_name = "list"
    verbose_name_plural = "lists"
    hide_title = True

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The heading of the column is no label for those who do not see it."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        field.widget.attrs["aria-label"] = "List"
        return field


class SubscriptionInline(ui.TabularInline):
    """The services a recipient agreed to."""

    model = Subscription
    fields = ["service", "source", "withdrawn_at"]
    hide_title = True

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The heading of the column is no label for those who do not see it."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs["aria-label"] = str(db_field.verbose_name).capitalize()
        return field


class ListFilter(admin.SimpleListFilter):
    """The people on one list."""

    title = "list"
    parameter_name = "list"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All lists, by name."""
        return [(str(pk), name) for pk, name in RecipientList.objects.order_by("name").values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Recipient]) -> QuerySet[Recipient]:
        """By the memberships' index."""
        chosen = self.value()
        return queryset.filter(memberships__list_id=int(chosen)) if chosen and chosen.isdigit() else queryset


@ui.register(Recipient)
class RecipientAdmin(AttributesAdmin):
    """People who may be written to."""

    form = RecipientForm
    inlines = [MembershipInline, SubscriptionInline]
    list_display = ["__str__", "first_name", "last_name", "language", "consent", "created_at"]
    list_filter = [ListFilter]
    search_fields = ["address_key"]
    search_help_text = "The beginning of an e-mail address or of a name"
    ordering = ["-id"]
    sortable_by = ()
    paginator = EstimatedPaginator
    change_list_template = "recipients/recipient_list.html"
    change_form_outer_before_template = "recipients/recipient_links.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who it is, what is known, what was agreed."""
        person = (None, {"fields": ["address", ("first_name", "last_name"), ("language", "time_zone"), "mail_format"]})
        consent = ("Consent", {"fields": ["consent", "consent_at", "consent_source"]})
        return [person, *self.attribute_fieldsets(), consent]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Recipient], search_term: str
    ) -> tuple[QuerySet[Recipient], bool]:
        """By index only: the beginning of the address's key (a whole address too) or of a name."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = _beginning(address_key=_key_prefix(term))
        for name in ("last_name", "first_name"):
            found = found.union(_beginning(**{f"{name}_lower": term.lower()}), all=True)
        return queryset.filter(pk__in=found), False


def _beginning(**prefix: str) -> QuerySet[Recipient, int]:
    """Keys of those whose value begins so. A bounded index scan each: joined by OR they read the whole table."""
    ((column, value),) = prefix.items()
    people = Recipient.objects.alias(last_name_lower=Lower("last_name"), first_name_lower=Lower("first_name"))
    matching = people.filter(**{f"{column}__startswith": value}).order_by()
    return matching.values_list("pk", flat=True)[: EstimatedPaginator.BOUND]


def _key_prefix(term: str) -> str:
    """A complete address as its key, anything else as it begins a key."""
    try:
        return key(term)
    except AddressError:
        return term.lower()
