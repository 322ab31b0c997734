"""Deliveries: the list, and the pages by their addresses. What one does with a delivery is in ``deliveries/pages``."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaign import ui
from deliveries.actions.base import ActionRefused
from deliveries.actions.delete import PROOF_IS_OVER, delete
from deliveries.actions.edit import edited
from deliveries.admin.changes import changes
from deliveries.admin.delivery_form import DeliveryForm
from deliveries.admin.delivery_list import DeliveryChangeList, LeavesFilter, TemplateFilter
from deliveries.admin.headers import findings_page
from deliveries.admin.properties import PropertiesAdmin
from deliveries.admin.tabs import (
    APPROVAL,
    ATTACHMENTS,
    CONTENT,
    DELIVERY,
    EXCLUSIONS,
    PROPERTIES,
    SMTP,
    TRACKING,
    TYPOLOGY,
    VALIDITY,
)
from deliveries.admin.target import TARGET, TARGET_VALUES
from deliveries.models import Delivery
from deliveries.moves import write_audit
from deliveries.pages.ab_test import ab_test_page, ab_test_removal, choose_page
from deliveries.pages.acts import act_on_each, act_page, question_page
from deliveries.pages.calendar import LEAVES_AT, calendar_page, leaves_at
from deliveries.pages.create import create_page
from deliveries.pages.dashboard import dashboard, progress_fragment
from deliveries.pages.estimate import estimate_page
from deliveries.pages.exclusions import exclusions_file, exclusions_page
from deliveries.pages.failures import failures_page
from deliveries.pages.in_doubt import in_doubt_page
from deliveries.pages.links import links_page
from deliveries.pages.log import log_page
from deliveries.pages.others import other_actions, other_pages
from deliveries.pages.personal_data import erase_page, export_page
from deliveries.pages.preview import preview_html, preview_page
from deliveries.pages.proof import proof_page
from deliveries.pages.target_file import file_page, file_rejects, file_removal, file_state
from deliveries.pages.templates import save_page
from deliveries.pages.why import why_page
from deliveries.rights import rights_of
from deliveries.states import EDITABLE, DeliveryState, MoveRefused

SCHEDULE = ("Schedule", {"classes": ["tab"], "fields": ["contact_local", "contact_zone", "contact_by_recipient"]})
PEOPLE = ("Approval", {"classes": ["tab"], "fields": [*APPROVAL[1]["fields"], "reviewers", "editors"]})


@ui.register(Delivery)
class DeliveryAdmin(PropertiesAdmin):
    """Deliveries."""

    form = DeliveryForm
    fieldsets = [
        CONTENT,
        TARGET,
        EXCLUSIONS,
        ATTACHMENTS,
        SCHEDULE,
        DELIVERY,
        VALIDITY,
        TRACKING,
        SMTP,
        TYPOLOGY,
        PEOPLE,
        PROPERTIES,
    ]
    list_display = ["title", "badge", "to_send", "progress", "leaves", "created_by"]
    list_display_links = None
    list_select_related = ["created_by"]
    list_filter = [
        "state",
        LeavesFilter,
        TemplateFilter,
        ("created_by", admin.RelatedOnlyFieldListFilter),
        "approval_mode",
        "priority",
    ]
    list_before_template = "deliveries/list_links.html"
    date_hierarchy = "created_at"
    search_fields = ["label", "code"]
    search_help_text = "Label or code"
    ordering = ["-id"]
    actions = ["analyse_selected", "pause_selected", "resume_selected"]
    change_form_outer_before_template = "deliveries/edit_links.html"

    def get_urls(self) -> list[URLPattern]:
        """The pages of a delivery; its own page is its address."""
        pages = [
            ("create/", create_page, "create"),
            ("<int:delivery_id>/save-as-template/", save_page, "save_as_template"),
            ("headers/", findings_page, "headers"),
            ("calendar/", calendar_page, "calendar"),
            ("<int:delivery_id>/proof/", proof_page, "proof"),
            ("<int:delivery_id>/ab-test/", ab_test_page, "ab_test"),
            ("<int:delivery_id>/ab-test/remove/", ab_test_removal, "ab_test_removal"),
            ("<int:delivery_id>/ab-test/choose/<slug:letter>/", choose_page, "choose_variant"),
            ("<int:delivery_id>/failures/", failures_page, "failures"),
            ("<int:delivery_id>/", dashboard, "dashboard"),
            ("<int:delivery_id>/progress/", progress_fragment, "progress"),
            ("<int:delivery_id>/do/<slug:name>/", act_page, "act"),
            ("<int:delivery_id>/ask/<slug:name>/", question_page, "question"),
            ("<int:delivery_id>/preview/", preview_page, "preview"),
            ("<int:delivery_id>/preview/<int:recipient_id>/html/", preview_html, "preview_html"),
            ("<int:delivery_id>/links/", links_page, "links"),
            ("<int:delivery_id>/log/", log_page, "log"),
            ("<int:delivery_id>/in-doubt/", in_doubt_page, "in_doubt"),
            ("<int:delivery_id>/excluded/", exclusions_page, "exclusions"),
            ("<int:delivery_id>/excluded/csv/", exclusions_file, "exclusions_file"),
            ("<int:delivery_id>/estimate/", estimate_page, "estimate"),
            ("<int:delivery_id>/file/", file_page, "file"),
            ("<int:delivery_id>/file/state/", file_state, "file_state"),
            ("<int:delivery_id>/file/remove/", file_removal, "file_removal"),
            ("<int:delivery_id>/file/rejected/", file_rejects, "file_rejects"),
            ("why/", why_page, "why"),
            ("person/<int:recipient_id>/export/", export_page, "export_person"),
            ("person/<int:recipient_id>/erase/", erase_page, "erase_person"),
            *((page.route, page.view, page.name) for page in other_pages()),
        ]
        own = [path(route, ui.site.admin_view(view), name=f"deliveries_delivery_{name}") for route, view, name in pages]
        return [*own, *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Ours, and those that other apps add."""
        actions: dict[str, Any] = super().get_actions(request)
        added = {each.name: (each.act, each.name, each.label) for each in other_actions()}
        return {**actions, **added} if actions else {}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """Deliveries without their proofs, which stand on the page of each."""
        return super().get_queryset(request).filter(proof_of=None)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 (Django's signature)
        """The form, which knows who fills it in."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"person": request.user})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list with progress."""
        return DeliveryChangeList

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A delivery always starts from a template."""
        return redirect("admin:deliveries_delivery_create")

    def has_change_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        """Content and target can be changed until the delivery is confirmed."""
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or (obj.current_state in EDITABLE and rights_of(request.user, obj).edit))

    def has_delete_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        """What has left the house stays on record."""
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and (obj is None or (obj.current_state in EDITABLE and rights_of(request.user, obj).edit))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The delivery, without a line for each thing its analysis wrote."""
        deliveries = list(objs)
        denied = {
            self.opts.verbose_name for delivery in deliveries if not self.has_delete_permission(request, delivery)
        }
        names = [f"Delivery “{delivery}”, its analysis and its journal" for delivery in deliveries]
        kept = Delivery.objects.filter(proof_of__in=deliveries).exclude(state__in=PROOF_IS_OVER)
        reasons = [f"“{proof}” is “{proof.current_state.label}”: wait for its end, or stop it first" for proof in kept]
        return names, {"deliveries": len(deliveries)}, denied, reasons

    def delete_model(self, request: HttpRequest, obj: Delivery) -> None:
        """With everything its analysis wrote."""
        delete(obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Each as if it were the only one; what cannot be deleted now stays, with a sentence."""
        for delivery in queryset:
            try:
                delete(delivery, by=request.user)
            except ActionRefused as refused:
                messages.error(request, str(refused))
            except Delivery.DoesNotExist:  # somebody else was faster
                continue

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The question, or the delivery's page with a sentence when it cannot be deleted now."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except ActionRefused as refused:
            messages.error(request, str(refused))
            return redirect("admin:deliveries_delivery_dashboard", object_id)

    @admin.action(description="Analyse", permissions=["view"])
    def analyse_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Ask for the analysis of each."""
        act_on_each(request, queryset, "analyse")

    @admin.action(description="Pause", permissions=["view"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Pause each."""
        act_on_each(request, queryset, "pause")

    @admin.action(description="Resume", permissions=["view"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Resume each."""
        act_on_each(request, queryset, "resume")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The form, or the delivery's page with a sentence when somebody else was faster."""
        context = {"show_save_and_add_another": False, **(extra_context or {})}
        try:
            return super().change_view(request, object_id, form_url, context)
        except MoveRefused as refused:
            messages.error(request, str(refused))
            return redirect("admin:deliveries_delivery_dashboard", object_id)

    def save_model(self, request: HttpRequest, obj: Delivery, form: Any, change: Any) -> None:
        """Write what the form owns and nothing else: the state is moved by actions only."""
        state = DeliveryState(Delivery.objects.select_for_update().values_list("state", flat=True).get(pk=obj.pk))
        if state not in EDITABLE:
            raise MoveRefused(f"Not saved: the delivery is “{state.label}” by now, its content cannot be changed.")
        own = [*TARGET_VALUES, "contact_at", "contact_zone", "contact_by_recipient", "updated_at"]
        obj.save(update_fields=[*obj.property_names(), *own])
        if form.changed_data:
            write_audit(obj, f"Edited: {changes(form)}.", by=request.user)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """An analysis that no longer fits is set aside."""
        super().save_related(request, form, formsets, change)
        delivery = Delivery.objects.get(pk=form.instance.pk)
        edited(delivery, by=request.user)
        if delivery.current_state is DeliveryState.EDITING and delivery.state_note:
            messages.info(request, delivery.state_note)

    def response_change(self, request: HttpRequest, obj: Delivery) -> HttpResponse:
        """After “Save” one wants the next step."""
        if "_continue" in request.POST:
            return super().response_change(request, obj)
        messages.success(request, "Saved.")
        return redirect("admin:deliveries_delivery_dashboard", obj.pk)

    @admin.display(description="label", ordering="label")
    def title(self, delivery: Delivery) -> SafeString:
        """Label and code, leading to the delivery's page."""
        link = reverse("admin:deliveries_delivery_dashboard", args=[delivery.pk])
        code = format_html(' <span class="c-code">{}</span>', delivery.code) if delivery.code else ""
        return format_html('<a href="{}" class="c-title">{}</a>{}', link, delivery.label, code)

    @admin.display(description="state", ordering="state")
    def badge(self, delivery: Any) -> str:
        """The state in words and colour."""
        return render_to_string("deliveries/badge.html", {"delivery": delivery, "progress": delivery.progress})

    @admin.display(description="to deliver")
    def to_send(self, delivery: Delivery) -> str:
        """Messages of the last analysis."""
        return "–" if delivery.to_deliver is None else f"{delivery.to_deliver:,}"

    def progress(self, delivery: Any) -> str:
        """Sent and failed."""
        return render_to_string("deliveries/bar.html", {"delivery": delivery, "progress": delivery.progress})

    @admin.display(description="leaves", ordering=LEAVES_AT)
    def leaves(self, delivery: Delivery) -> Any:
        """When its first message left, or is to leave."""
        at = leaves_at(delivery)
        return date_format(timezone.localtime(at), "j M Y, H:i") if at else None
