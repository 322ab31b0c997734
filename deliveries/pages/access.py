"""Who may open a delivery's pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from deliveries.models import Delivery
from deliveries.rights import may_view_deliveries

DeliveryView = Callable[..., HttpResponseBase]


def delivery_page(view: DeliveryView) -> DeliveryView:
    """The view gets the delivery instead of its id. Raises ``Http404`` and, for those who may not look,
    ``PermissionDenied``."""

    @wraps(view)
    def wrapped(request: HttpRequest, delivery_id: int, **rest: Any) -> HttpResponseBase:
        if not may_view_deliveries(request.user):
            raise PermissionDenied
        try:
            delivery = Delivery.objects.select_related(
                "template", "route", "created_by", "proof_of", "target_file", "ab_test"
            ).get(pk=delivery_id)
            return view(request, delivery, **rest)
        except Delivery.DoesNotExist:  # at once, or deleted by somebody else meanwhile
            if request.headers.get("HX-Request") == "true":  # a page that would go on asking
                return HttpResponse(headers={"HX-Redirect": reverse("admin:deliveries_delivery_changelist")})
            raise Http404("There is no such delivery.") from None

    return wrapped
