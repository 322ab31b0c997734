"""Routes: how mail leaves, and a button that tries it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from campaign import ui
from campaign.connection_test import ConnectionAdmin
from campaign.lib.oauth.answer import TokenRefused
from campaign.lib.sealing import SealBroken
from campaign.oauth_form import SETTINGS, Fieldsets, OAuthForm, credentials, oauth_fieldsets, token_state
from deliveries.models import Archive, Delivery, DeliveryTemplate, Route, SenderDomainRoute
from deliveries.relay import Mechanism
from deliveries.sending.handshake import RouteUnavailable
from deliveries.sending.look import look


class RouteForm(OAuthForm[Route]):
    """A route; its secrets go in and never come out."""

    login_field = "auth_mechanism"
    bearers = (Mechanism.XOAUTH2, Mechanism.OAUTHBEARER)

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
            *SETTINGS,
            "connection_limit",
            "messages_per_connection",
            "messages_per_second",
            "connect_seconds",
            "command_seconds",
            "data_seconds",
            "content_seconds",
            "end_of_data_seconds",
        ]
        help_texts: ClassVar[dict[str, str]] = {"port": "Often 587 or 465 where one logs in, else 25."}

    def _get_validation_exclusions(self) -> set[str]:
        """A second default route is no mistake: :meth:`RouteAdmin.save_model` takes the mark from the former one."""
        return {*super()._get_validation_exclusions(), "is_default"}  # type: ignore[misc]


class SenderDomainInline(ui.TabularInline):
    """Which senders' domains leave by the route."""

    model = SenderDomainRoute
    extra = 0


@ui.register(Route)
class RouteAdmin(ConnectionAdmin):
    """SMTP relays."""

    form = RouteForm
    refusals = (RouteUnavailable, SealBroken, TokenRefused)
    inlines = [SenderDomainInline]
    list_display = ["name", "host", "port", "security", "is_active", "default_for", "fallback"]
    list_select_related = ["fallback"]
    actions = None
    readonly_fields = [token_state]
    fieldsets: ClassVar[Fieldsets] = [
        (None, {"fields": ["name", "is_active", "is_default", "fallback"]}),
        (
            "Connection",
            {"fields": [("host", "port"), "protocol", "security", "check_certificate", "authority_file", "ehlo_name"]},
        ),
        ("Credentials", {"fields": credentials("auth_mechanism")}),
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

    @admin.display(description="default for", ordering="-is_default")
    def default_for(self, route: Route) -> str:
        """Whose mail leaves by it where the delivery names no route."""
        domains = sorted(sender.domain for sender in route.sender_domains.all())
        return ", ".join([*domains, *(["all other senders"] if route.is_default else [])])

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the senders' domains that the list shows."""
        return super().get_queryset(request).prefetch_related("sender_domains")

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

    def look(self, row: Route) -> str:
        """Connect, log in, say goodbye."""
        return look(row)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Somebody who may only look sees nothing of the secrets."""
        return oauth_fieldsets(self, request, obj)

    def save_model(self, request: HttpRequest, obj: Route, form: Any, change: Any) -> None:
        """The newly chosen default takes the place of the former one."""
        with transaction.atomic():
            if obj.is_default:
                Route.objects.filter(is_default=True).exclude(pk=obj.pk).update(is_default=False)
            super().save_model(request, obj, form, change)
