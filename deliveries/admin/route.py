"""Routes: how mail leaves, and a button that tries it."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from campaign import ui
from campaign.lib.sealing import SealBroken
from deliveries.models import Archive, Delivery, DeliveryTemplate, Route, SenderDomainRoute
from deliveries.sending.handshake import RouteUnavailable
from deliveries.sending.look import look

Fieldsets = list[tuple[str | None, dict[str, list[Any]]]]


class RouteForm(forms.ModelForm[Route]):
    """A route; its password goes in and never comes out."""

    new_password = forms.CharField(
        required=False,
        label="Password",
        strip=False,
        widget=ui.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    forget_password = forms.BooleanField(required=False, label="Forget the stored password")

    class Meta:
        model = Route
        fields = [
            "name",
            "is_active",
            "is_default",
            "fallback",
            "host",
            "port",
            "protocol",
            "security",
            "check_certificate",
            "authority_file",
            "ehlo_name",
            "source_address",
            "username",
            "auth_mechanism",
            "connection_limit",
            "messages_per_connection",
            "messages_per_second",
            "connect_seconds",
            "command_seconds",
            "data_seconds",
            "content_seconds",
            "end_of_data_seconds",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "new_password" in self.fields:
            stored = bool(self.instance.sealed_password)
            kept = (
                "A password is stored. Leave empty to keep it." if stored else "Stored encrypted and never shown again."
            )
            self.fields["new_password"].help_text = f"{kept} For XOAUTH2: the access token."

    def clean(self) -> dict[str, Any]:
        """Refuse two wishes that contradict each other."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("new_password") and cleaned.get("forget_password"):
            self.add_error("forget_password", "Either type a new password or forget the stored one.")
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        """A second default route is no mistake: :meth:`RouteAdmin.save_model` takes the mark from the former one."""
        return {*super()._get_validation_exclusions(), "is_default"}  # type: ignore[misc]

    def save(self, commit: bool = True) -> Route:  # noqa: FBT001, FBT002 (Django's signature)
        """Seal a new password; keep the stored one otherwise."""
        if self.cleaned_data.get("forget_password"):
            self.instance.password = ""
        elif secret := self.cleaned_data.get("new_password"):
            self.instance.password = secret
        return super().save(commit)


class SenderDomainInline(ui.TabularInline):
    """Which senders' domains leave by the route."""

    model = SenderDomainRoute
    extra = 0


@ui.register(Route)
class RouteAdmin(ui.ModelAdmin):
    """SMTP relays."""

    form = RouteForm
    inlines = [SenderDomainInline]
    list_display = ["name", "host", "port", "security", "is_active", "is_default", "fallback"]
    list_select_related = ["fallback"]
    actions = None
    change_form_template = "deliveries/route_form.html"
    fieldsets: ClassVar[Fieldsets] = [
        (None, {"fields": ["name", "is_active", "is_default", "fallback"]}),
        (
            "Connection",
            {"fields": [("host", "port"), "protocol", "security", "check_certificate", "authority_file", "ehlo_name"]},
        ),
        ("Credentials", {"fields": ["username", "new_password", "forget_password", "auth_mechanism"]}),
        ("Limits", {"fields": ["connection_limit", "messages_per_connection", "messages_per_second"]}),
        (
            "Waits and addresses",
            {
                "fields": [
                    "source_address",
                    "connect_seconds",
                    "command_seconds",
                    "data_seconds",
                    "content_seconds",
                    "end_of_data_seconds",
                ]
            },
        ),
    ]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What still needs the route, in numbers."""
        routes = list(objs)
        users = {
            "deliveries": Delivery.objects.filter(route__in=routes).count(),
            "delivery templates or the platform's defaults": DeliveryTemplate._base_manager.filter(
                route__in=routes
            ).count(),
            "archives": Archive.objects.filter(route__in=routes).count(),
            "other routes as their fallback": Route.objects.filter(fallback__in=routes)
            .exclude(pk__in=[route.pk for route in routes])
            .count(),
        }
        in_use = [
            f"Used by {what}: {count:,}. Choose another route there first." for what, count in users.items() if count
        ]
        denied = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        return [f"Route “{route}”" for route in routes], {"routes": len(routes)}, denied, in_use

    def get_urls(self) -> list[URLPattern]:
        """With the connection test."""
        test = path("<int:route_id>/test/", ui.site.admin_view(self.test_view), name="deliveries_route_test")
        return [test, *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Somebody who may only look sees nothing of the password."""
        may_save = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if may_save:
            return self.fieldsets
        secret = {"new_password", "forget_password"}
        return [
            (title, {"fields": [name for name in group["fields"] if name not in secret]})
            for title, group in self.fieldsets
        ]

    def save_model(self, request: HttpRequest, obj: Route, form: Any, change: Any) -> None:
        """The newly chosen default takes the place of the former one."""
        with transaction.atomic():
            if obj.is_default:
                Route.objects.filter(is_default=True).exclude(pk=obj.pk).update(is_default=False)
            super().save_model(request, obj, form, change)

    @staticmethod
    @require_POST
    def test_view(request: HttpRequest, route_id: int) -> HttpResponse:
        """Connect, log in, say goodbye; then tell how it went."""
        if not request.user.has_perm("deliveries.change_route"):
            raise PermissionDenied
        route = Route.objects.filter(pk=route_id).first()
        if route is None:
            raise Http404
        try:
            sentence = look(route)
        except (RouteUnavailable, SealBroken) as error:
            messages.error(request, str(error))
        else:
            messages.success(request, sentence)
        return redirect("admin:deliveries_route_change", route_id)
