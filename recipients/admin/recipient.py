"""Recipients: found by the beginning of an address or last name, edited with their custom attributes as fields."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest

from campaign import ui
from campaign.lib.paging import EstimatedPaginator
from recipients.addresses import AddressError, key
from recipients.models import AttributeDefinition, AttributeKind, ListMembership, Recipient, RecipientList

PREFIX = "attribute_"

_FIELDS: dict[str, type[forms.Field]] = {
    AttributeKind.TEXT: forms.CharField,
    AttributeKind.NUMBER: forms.DecimalField,
    AttributeKind.DATE: forms.DateField,
    AttributeKind.DATETIME: forms.DateTimeField,
    AttributeKind.BOOLEAN: forms.NullBooleanField,
}


class RecipientForm(forms.ModelForm[Recipient]):
    """A recipient with a form field for each custom attribute."""

    class Meta:
        model = Recipient
        fields = [
            "address", "first_name", "last_name", "language", "time_zone", "mail_format",
            "consent", "consent_at", "consent_source",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for definition in AttributeDefinition.objects.all():
            name = PREFIX + definition.name
            if name in self.fields:
                self.fields[name].initial = self.instance.attributes.get(definition.name)

    def save(self, commit: bool = True) -> Recipient:  # noqa: FBT001, FBT002 (Django's signature)
        """Keep the attributes as JSON: numbers as numbers, dates as ISO 8601."""
        attributes = dict(self.instance.attributes)
        for name in [field for field in self.fields if field.startswith(PREFIX)]:
            value = self.cleaned_data.get(name)
            if value in (None, ""):
                attributes.pop(name.removeprefix(PREFIX), None)
            else:
                attributes[name.removeprefix(PREFIX)] = _json_value(value)
        self.instance.attributes = attributes
        return super().save(commit)


def _json_value(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value if isinstance(value, bool | str) else float(value) if value % 1 else int(value)


def _field(definition: AttributeDefinition) -> forms.Field:
    kind = _FIELDS[definition.kind]
    if kind is forms.NullBooleanField:
        return forms.NullBooleanField(label=str(definition), required=False)
    return kind(
        label=str(definition),
        required=False,
        widget=ui.TextInput,
        help_text=_HINTS.get(AttributeKind(definition.kind), ""),
    )


_HINTS = {
    AttributeKind.DATE: "As 2026-11-23.",
    AttributeKind.DATETIME: "As 2026-11-23 14:30.",
}


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
class RecipientAdmin(ui.ModelAdmin):
    """People who may be written to."""

    form = RecipientForm
    inlines = [MembershipInline]
    list_display = ["__str__", "first_name", "last_name", "language", "consent", "created_at"]
    list_filter = [ListFilter]
    search_fields = ["address_key"]
    search_help_text = "The beginning of an e-mail address or of a name"
    ordering = ["-id"]
    sortable_by = ()
    paginator = EstimatedPaginator
    change_list_template = "recipients/recipient_list.html"

    def get_form(self, request: HttpRequest, obj: Any = None, change: Any = False, **kwargs: Any) -> Any:  # noqa: FBT002
        """With a field for each custom attribute, of its kind."""
        extra = {PREFIX + definition.name: _field(definition) for definition in AttributeDefinition.objects.all()}
        form = type("RecipientForm", (RecipientForm,), extra)
        return super().get_form(request, obj, change=change, **{**kwargs, "form": form, "fields": None})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who it is, what is known, what was agreed."""
        attributes = [PREFIX + name for name in AttributeDefinition.objects.values_list("name", flat=True)]
        person = (None, {"fields": ["address", ("first_name", "last_name"), ("language", "time_zone"), "mail_format"]})
        consent = ("Consent", {"fields": ["consent", "consent_at", "consent_source"]})
        return [person, *([("Custom attributes", {"fields": attributes})] if attributes else []), consent]

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
