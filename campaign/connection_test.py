"""The button that tries whether one can connect with what a row says."""

from collections.abc import Callable
from typing import TypeVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

Row = TypeVar("Row", bound=Model)


def tried(
    request: HttpRequest, model: type[Row], pk: int, look: Callable[[Row], str], *refusals: type[Exception]
) -> HttpResponse:
    """Back to the row's page, which shows the sentence that ``look`` returned, or that a refusal came with.

    It is for those who may change the row; 404 where there is none.
    """
    options = model._meta
    if not request.user.has_perm(f"{options.app_label}.change_{options.model_name}"):
        raise PermissionDenied
    row = get_object_or_404(model, pk=pk)
    try:
        messages.success(request, look(row))
    except refusals as error:
        messages.error(request, str(error))
    return redirect(f"admin:{options.app_label}_{options.model_name}_change", pk)
