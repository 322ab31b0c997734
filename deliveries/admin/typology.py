"""Typologies: which checks run, in what order, and how heavily each weighs."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from campaign import ui
from deliveries.analysis.checks import CHECKS
from deliveries.analysis.typology import complete
from deliveries.models import Delivery, DeliveryTemplate, Typology, TypologyCheck


class TypologyCheckInline(ui.TabularInline):
    """The checks, as this typology uses them."""

    model = TypologyCheck
    fields = ["title", "order", "level"]
    readonly_fields = ["title"]
    verbose_name_plural = "checks"
    hide_title = True
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any) -> bool:
        """Every check there is has its row."""
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        """Checks that there are; an extension that was taken away keeps its rows for when it comes back."""
        return super().get_queryset(request).filter(check_key__in=CHECKS)

    @admin.display(description="check")
    def title(self, row: TypologyCheck) -> SafeString:
        """What people call the check, and why there is one."""
        check = CHECKS[row.check_key]
        return format_html('<strong>{}</strong><span class="c-line c-note">{}</span>', check.label, check.description)


@ui.register(Typology)
class TypologyAdmin(ui.ModelAdmin):
    """Named sets of checks."""

    fields = ["name", "description", "is_default", "always"]
    readonly_fields = ["always"]
    list_display = ["name", "description", "is_default"]
    search_fields = ["name"]
    inlines = [TypologyCheckInline]
    actions = None

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """A new typology has no checks before it is saved."""
        return self.inlines if obj is not None else []

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The same for what always runs."""
        return self.fields if obj is not None else ["name", "description", "is_default"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """A second default is no mistake: :meth:`save_model` takes the mark from the former one."""
        form = super().get_form(request, obj, change, **kwargs)

        class TypologyForm(form):  # type: ignore[misc, valid-type]
            def _get_validation_exclusions(self) -> set[str]:
                return {*super()._get_validation_exclusions(), "is_default"}

        return TypologyForm

    @admin.display(description="always checked first, as errors")
    def always(self, typology: Typology) -> SafeString:
        """The checks that no typology can switch off."""
        rows = ((check.label, check.description) for check in CHECKS.values() if check.required)
        return format_html('<ul class="c-list">{}</ul>', format_html_join("", "<li><strong>{}</strong>: {}</li>", rows))

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Typology, form: Any, change: Any) -> None:
        """One default at most; each check has its row."""
        if obj.is_default:
            Typology.objects.exclude(pk=obj.pk).update(is_default=False)
        super().save_model(request, obj, form, change)
        complete(obj)

    def response_add(self, request: HttpRequest, obj: Typology, post_url_continue: str | None = None) -> HttpResponse:
        """After its name, its checks."""
        messages.success(request, "Saved. Now set the order and level of its checks.")
        return redirect("admin:deliveries_typology_change", obj.pk)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The typology without a line for each check; what still uses it in numbers."""
        typologies = list(objs)
        users = {
            "deliveries": Delivery.objects.filter(typology__in=typologies).count(),
            "delivery templates or the platform's defaults": DeliveryTemplate._base_manager.filter(
                typology__in=typologies
            ).count(),
        }
        in_use = [
            f"Used by {what}: {count:,}. Choose another typology there first." for what, count in users.items() if count
        ]
        denied = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        return [f"Typology “{one}”" for one in typologies], {"typologies": len(typologies)}, denied, in_use
