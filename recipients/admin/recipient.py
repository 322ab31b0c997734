"""Recipients: found by the beginning of an address or last name, edited with their custom attributes as fields."""

import csv
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from campaign import ui
from campaign.lib.paging import EstimatedPaginator
from campaign.lib.primary_keys import primary_key
from campaign.lib.spreadsheet import harmless
from campaign.only_read import OnlyRead
from recipients import erased, history, subscriptions
from recipients.addresses import AddressError, key
from recipients.admin.attributes import AttributesAdmin, AttributesForm
from recipients.history import Origin
from recipients.models import (
    Consent,
    ConsentEvent,
    ConsentSubject,
    Denylist,
    ListMembership,
    Recipient,
    RecipientList,
    Subscription,
)
from recipients.privacy import history_rows


class RecipientForm(AttributesForm):
    """A recipient with a form field for each custom attribute."""

    class Meta:
        model = Recipient
        fields = [
            "address", "first_name", "last_name", "language", "time_zone", "mail_format", "may_be_tracked",
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


class HistoryInline(OnlyRead, ui.TabularInline):
    """What the person agreed to and withdrew, the latest first, as wishes write it."""

    model = ConsentEvent
    fields = ["at", "what", "state", "source", "by"]
    readonly_fields = fields
    hide_title = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """With the person."""
        user: Any = request.user
        return bool(user.has_perm("recipients.view_recipient") or user.has_perm("recipients.change_recipient"))

    @admin.display(description="For")
    def what(self, event: ConsentEvent) -> str:
        """The service, or what else it is about."""
        return event.service_name or event.get_subject_display()


class ListFilter(admin.SimpleListFilter):
    """The people on one list."""

    title = "list"
    parameter_name = "list"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All lists, by name."""
        return [(str(pk), name) for pk, name in RecipientList.objects.order_by("name").values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Recipient]) -> QuerySet[Recipient]:
        """By the memberships' index."""
        chosen = primary_key(self.value() or "")
        return queryset if chosen is None else queryset.filter(memberships__list_id=chosen)


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
    change_form_outer_after_template = "recipients/recipient_failures.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who it is, what is known, what was agreed."""
        names = ["address", ("first_name", "last_name"), ("language", "time_zone"), "mail_format", "may_be_tracked"]
        person = (None, {"fields": names})
        consent = ("Consent", {"fields": ["consent", "consent_at", "consent_source"]})
        return [person, *self.attribute_fieldsets(), consent]

    def get_urls(self) -> list[URLPattern]:
        """The history as a file."""
        page = ui.site.admin_view(self.history_file)
        return [path("<int:pk>/consent-history/", page, name="recipients_recipient_history_file"), *super().get_urls()]

    def history_file(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The person's consent history as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        recipient = Recipient.objects.filter(pk=pk).first()
        if recipient is None:
            raise Http404("There is no such recipient.")
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="consent-history-{pk}.csv"'
        writer = csv.writer(response)
        writer.writerow(["Time", "For", "Service", "State", "Source", "By"])
        for line in history_rows(recipient):
            writer.writerow([harmless(str(value)) for value in line.values()])
        return response

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Somebody new has no history."""
        return [*self.inlines, HistoryInline] if obj is not None else list(self.inlines)

    def save_model(self, request: HttpRequest, obj: Recipient, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's signature)
        """A changed consent leaves a line in the history."""
        super().save_model(request, obj, form, change)
        erased.watched([obj.address_key or ""])
        if "consent" in form.changed_data:
            origin = _typed(request, obj.consent_source)
            history.write(obj, Consent(obj.consent), origin, subject=ConsentSubject.GENERAL)

    def delete_model(self, request: HttpRequest, obj: Recipient) -> None:
        """Who asked not to be written to is not, when somebody imports them again."""
        if obj.address_key and Denylist.objects.filter(recipient=obj).exists():
            erased.remember(obj.address_key, source="the profile was deleted")
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Recipient]) -> None:
        """The same for many."""
        for address_key in queryset.filter(denied__isnull=False, address_key__isnull=False).values_list(
            "address_key", flat=True
        ):
            erased.remember(address_key or "", source="the profile was deleted")
        super().delete_queryset(request, queryset)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 (Django's signature)
        """So does every subscription that is given or withdrawn here."""
        before = subscriptions.standing(form.instance)
        super().save_formset(request, form, formset, change)
        if formset.model is Subscription:
            subscriptions.note_changes(form.instance, before, _typed(request))

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


def _typed(request: HttpRequest, source: str = "") -> Origin:
    return Origin(source or "written down in the administration", by=request.user.get_username())


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
