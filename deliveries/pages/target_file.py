"""The file of people that a delivery reaches: upload, follow, fetch the rejected lines, remove."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from campaign import ui
from deliveries.actions.base import ActionRefused
from deliveries.actions.target_file import choose_file, remove_file
from deliveries.models import Delivery
from deliveries.pages.access import delivery_page
from deliveries.rights import rights_of
from recipients.imports.detect import ImportProblem, detect_octets
from recipients.models import ImportState

STOP_POLLING = 286
MOVING = (ImportState.QUEUED, ImportState.RUNNING)


class FileForm(forms.Form):
    """A CSV file."""

    file = forms.FileField(
        widget=forms.FileInput(attrs={"class": "c-input", "accept": ".csv,.txt,.tsv,text/csv"}),
        error_messages={"required": "Choose a file.", "empty": "This file is empty. Choose another one."},
    )


@delivery_page
def file_page(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """The file as it is, and a form to take another one."""
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        _require_rights(request, delivery)
        if form.is_valid() and _take(request, delivery, form):
            return redirect("admin:deliveries_delivery_file", delivery.pk)
    return ui.page(
        request,
        "deliveries/target_file.html",
        title=f"File of people: {delivery.label}",
        form=form,
        may_upload=_may_upload(request, delivery) and delivery.current_state.is_editable,
        **_context(delivery),
    )


@delivery_page
def file_state(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """The file's state alone, for polling."""
    status = 200 if delivery.target_file and delivery.target_file.state in MOVING else STOP_POLLING
    return render(request, "deliveries/target_file_state.html", _context(delivery), status=status)


@require_POST
@delivery_page
def file_removal(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """Do without the file."""
    _require_rights(request, delivery)
    try:
        remove_file(delivery, by=request.user)
    except ActionRefused as refused:
        messages.error(request, str(refused))
    return redirect("admin:deliveries_delivery_file", delivery.pk)


@delivery_page
def file_rejects(request: HttpRequest, delivery: Delivery) -> HttpResponseBase:
    """The rejected lines as a CSV file."""
    if delivery.target_file is None or not delivery.target_file.rejects:
        raise Http404("No line of this file was rejected.")
    content = delivery.target_file.rejects.open("rb")
    return FileResponse(content, as_attachment=True, filename="rejected.csv", content_type="text/csv")


def _take(request: HttpRequest, delivery: Delivery, form: FileForm) -> bool:
    upload = form.cleaned_data["file"]
    try:
        detect_octets(upload.read(64 * 1024), upload.name)
        upload.seek(0)
        choose_file(delivery, upload, by=request.user)
    except (ImportProblem, ActionRefused) as problem:
        form.add_error("file", str(problem))
        return False
    return True


def _context(delivery: Delivery) -> dict[str, Any]:
    file = delivery.target_file
    return {"delivery": delivery, "file": file, "moving": file is not None and file.state in MOVING}


def _may_upload(request: HttpRequest, delivery: Delivery) -> bool:
    """A file creates the people whom nobody knows yet."""
    return rights_of(request.user, delivery).edit and request.user.has_perm("recipients.add_recipientimport")


def _require_rights(request: HttpRequest, delivery: Delivery) -> None:
    if not _may_upload(request, delivery):
        raise PermissionDenied
