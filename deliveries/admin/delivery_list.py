"""The list of deliveries: its filter by date, and what it reads for a page."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from campaign.lib.clock import now
from campaign.lib.primary_keys import primary_key
from deliveries.models import Delivery, DeliveryTemplate
from deliveries.pages.calendar import LEAVES_AT
from deliveries.pages.overdue import is_overdue, overdue
from deliveries.pages.progress import progress_of


class TemplateFilter(admin.SimpleListFilter):
    """The template that deliveries were made from."""

    title = "template"
    parameter_name = "template"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All templates, by name and without their contents."""
        return [(str(pk), label) for pk, label in DeliveryTemplate.objects.order_by("label").values_list("pk", "label")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """Deliveries of the chosen one."""
        chosen = primary_key(self.value() or "")
        return queryset if chosen is None else queryset.filter(template_id=chosen)


class LeavesFilter(admin.SimpleListFilter):
    """When the first message leaves or left."""

    title = "when it leaves"
    parameter_name = "leaves"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Spans around the present day, as clocks of the installation show it."""
        return [
            ("overdue", "Overdue"),
            ("today", "Today"),
            ("next7", "The next 7 days"),
            ("next30", "The next 30 days"),
            ("last7", "The last 7 days"),
            ("last30", "The last 30 days"),
            ("open", "No date yet"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """Those of the chosen span."""
        at = now()
        today = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
        tomorrow = today + timedelta(days=1)
        spans = {
            "today": (today, tomorrow),
            "next7": (at, tomorrow + timedelta(days=7)),
            "next30": (at, tomorrow + timedelta(days=30)),
            "last7": (today - timedelta(days=7), at),
            "last30": (today - timedelta(days=30), at),
        }
        chosen = self.value()
        if chosen == "overdue":
            return queryset.filter(is_overdue(at))
        if chosen == "open":
            return queryset.alias(leaves_at=LEAVES_AT).filter(leaves_at=None)
        return (
            queryset.alias(leaves_at=LEAVES_AT).filter(leaves_at__range=spans[chosen]) if chosen in spans else queryset
        )


class DeliveryChangeList(ChangeList):
    """The list, with the progress of what is on the page."""

    def get_queryset(self, *args: Any, **kwargs: Any) -> Any:
        """Without the contents, which nobody sees here and which are most of a row."""
        return super().get_queryset(*args, **kwargs).defer("html", "text", "smtp_headers")

    def get_results(self, request: HttpRequest) -> None:
        """Add the progress of all deliveries of this page in one query."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        progress = progress_of(self.result_list)
        at = now()
        for delivery in self.result_list:
            delivery.progress = progress[delivery.pk]
            delivery.is_overdue = bool(overdue(delivery, at))
