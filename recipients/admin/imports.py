"""Import recipients: upload, say what the columns mean, follow, fetch the rejected lines."""

import csv
from pathlib import Path
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path

from campaign import ui
from campaign.lib.hints import hint_after_commit
from recipients.imports.detect import Form, ImportProblem, detect, header
from recipients.imports.lines import open_text
from recipients.imports.mapping import IGNORE, attribute_name, checked, guess
from recipients.models import (
    BUILT_IN_FIELDS,
    AttributeDefinition,
    AttributeKind,
    ImportState,
    RecipientImport,
    RecipientList,
)

PREVIEW_LINES = 5
STOP_POLLING = 286
MOVING = frozenset({ImportState.QUEUED, ImportState.RUNNING})


class UploadForm(forms.ModelForm[RecipientImport]):
    """The file, and what to do with the people in it."""

    class Meta:
        model = RecipientImport
        fields = ["file", "existing", "list_name"]
        widgets = {
            "existing": forms.RadioSelect,
            "file": forms.FileInput(attrs={"class": "c-input", "accept": ".csv,.txt,.tsv,text/csv"}),
            "list_name": ui.TextInput(attrs={"list": "lists", "autocomplete": "off"}),
        }
        error_messages = {"file": {"required": "Choose a file.", "empty": "This file is empty. Choose another one."}}


class MappingForm(forms.Form):
    """A field for each column."""

    def __init__(self, form: Form, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns = form.columns
        guesses = guess(form.columns)
        known = {definition.name: definition for definition in AttributeDefinition.objects.all()}
        built_in = [
            ("address", "E-mail address"), ("first_name", "First name"), ("last_name", "Last name"),
            ("language", "Language"), ("time_zone", "Time zone"), ("mail_format", "Mail format"),
            ("may_be_tracked", "May be tracked (yes or no)"),
        ]  # fmt: skip
        choices: list[Any] = [(IGNORE, "Leave out"), ("Built-in fields", built_in)]
        if known:
            labels = [(name, f"{definition} ({definition.get_kind_display()})") for name, definition in known.items()]
            choices.append(("Custom attributes", labels))
        for number, column in enumerate(form.columns):
            new = attribute_name(column)
            own = [] if not new or new in known or new in BUILT_IN_FIELDS else [("New custom attribute", _kinds(new))]
            self.fields[f"column_{number}"] = forms.ChoiceField(
                label=column,
                choices=[*choices, *own],
                required=False,
                initial=guesses[column],
                widget=forms.Select(attrs={"class": "c-select"}),
            )

    def clean(self) -> dict[str, Any]:
        """The mapping as a whole must make sense."""
        cleaned = super().clean() or self.cleaned_data
        try:
            checked(self.mapping(), self.columns)
        except ImportProblem as problem:
            raise forms.ValidationError(str(problem)) from problem
        return cleaned

    def mapping(self) -> dict[str, str]:
        """Field by column."""
        return {column: self.cleaned_data.get(f"column_{at}", IGNORE) for at, column in enumerate(self.columns)}


def _kinds(name: str) -> list[tuple[str, str]]:
    """A new attribute with each kind; text goes without saying."""
    return [
        (name if kind == AttributeKind.TEXT else f"{name}:{kind}", f"{name} ({kind.label})") for kind in AttributeKind
    ]


@ui.register(RecipientImport)
class RecipientImportAdmin(ui.ModelAdmin):
    """Imports, latest first; each has a page of its own."""

    list_display = ["file_name", "state", "created", "known", "rejected", "created_at", "created_by"]
    list_select_related = ["created_by"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was imported is history."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """The steps, one address each."""
        wrap = ui.site.admin_view
        return [
            path("add/", wrap(upload), name="recipients_recipientimport_add"),
            path("<int:import_id>/columns/", wrap(columns), name="recipients_recipientimport_columns"),
            path("<int:import_id>/change/", wrap(result), name="recipients_recipientimport_change"),
            path("<int:import_id>/progress/", wrap(progress), name="recipients_recipientimport_progress"),
            path("<int:import_id>/rejects/", wrap(rejects), name="recipients_recipientimport_rejects"),
            *super().get_urls(),
        ]


def upload(request: HttpRequest) -> HttpResponse:
    """Step 1: the file. A file that cannot be one gives its sentence beside the field and is not kept."""
    _require_permission(request)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        job = form.save(commit=False)
        job.file_name = Path(form.cleaned_data["file"].name).name[:200]
        job.created_by_id = request.user.pk
        job.save()
        try:
            detect(Path(job.file.path))
        except ImportProblem as problem:
            stored_name = Path(job.file.path).name
            job.file.delete(save=False)
            job.delete()
            form.add_error("file", str(problem).replace(stored_name, job.file_name))
        else:
            return redirect("admin:recipients_recipientimport_columns", job.pk)
    lists = RecipientList.objects.values_list("name", flat=True)[:500]
    return ui.page(request, "recipients/upload.html", title="Import recipients", form=form, lists=lists)


def columns(request: HttpRequest, import_id: int) -> HttpResponse:
    """Step 2: what the columns mean."""
    _require_permission(request)
    job = _find(import_id)
    if job.state != ImportState.UPLOADED:
        return redirect("admin:recipients_recipientimport_change", job.pk)
    try:
        kind = detect(Path(job.file.path))
        preview = _preview(job, kind)
    except (ImportProblem, OSError) as problem:
        RecipientImport.objects.filter(pk=job.pk).update(state=ImportState.FAILED, sentence=str(problem))
        return redirect("admin:recipients_recipientimport_change", job.pk)
    form = MappingForm(kind, request.POST or None)
    if request.method == "POST" and form.is_valid():
        start(job, form.mapping())
        return redirect("admin:recipients_recipientimport_change", job.pk)
    fields = [form[name] for name in form.fields]
    rows = [(field, [line[at] if at < len(line) else "" for line in preview]) for at, field in enumerate(fields)]
    return ui.page(
        request, "recipients/columns.html", title="What the columns mean", job=job, form=form, rows=rows, kind=kind
    )


def start(job: RecipientImport, mapping: dict[str, str]) -> None:
    """Hand an uploaded file to a worker."""
    with transaction.atomic():
        waiting = RecipientImport.objects.filter(pk=job.pk, state=ImportState.UPLOADED)
        if waiting.update(state=ImportState.QUEUED, mapping=mapping):
            # A hint that is lost costs seconds: the scheduler looks for imports that wait (recipients.tasks).
            hint_after_commit("recipients.tasks.import_recipients", job.pk)


def result(request: HttpRequest, import_id: int) -> HttpResponse:
    """Step 3: how far it is, and what came of it."""
    _require_permission(request)
    job = _find(import_id)
    if job.state == ImportState.UPLOADED:
        return redirect("admin:recipients_recipientimport_columns", job.pk)
    return ui.page(request, "recipients/result.html", title=f"Import of {job.file_name}", **_context(job))


def progress(request: HttpRequest, import_id: int) -> HttpResponse:
    """The state alone, for polling."""
    if request.headers.get("HX-Request") != "true":
        return result(request, import_id)
    _require_permission(request)
    job = _find(import_id)
    status = 200 if job.state in MOVING else STOP_POLLING
    return render(request, "recipients/import_state.html", _context(job), status=status)


def rejects(request: HttpRequest, import_id: int) -> FileResponse:
    """The rejected lines as a CSV file."""
    _require_permission(request)
    job = _find(import_id)
    if not job.rejects:
        raise Http404("No line of this import was rejected.")
    return FileResponse(
        job.rejects.open("rb"), as_attachment=True, filename=f"rejected-{job.pk}.csv", content_type="text/csv"
    )


def _context(job: RecipientImport) -> dict[str, Any]:
    try:
        percent = min(100, 100 * job.octets // max(job.file.size, 1))
    except OSError:
        percent = 100
    return {"job": job, "moving": job.state in MOVING, "percent": percent}


def _preview(job: RecipientImport, kind: Form) -> list[list[str]]:
    with open_text(Path(job.file.path), kind) as file:
        reader = csv.reader(file, delimiter=kind.delimiter)
        lines = []
        try:
            header(reader, kind.delimiter)
            for line in reader:
                if any(line):
                    lines.append([cell[:60] for cell in line])
                if len(lines) == PREVIEW_LINES:
                    break
        except (csv.Error, UnicodeDecodeError):
            return lines  # the import itself says what is wrong, and where
    return lines


def _find(import_id: int) -> RecipientImport:
    job = RecipientImport.objects.filter(pk=import_id).first()
    if job is None:
        raise Http404("There is no such import.")
    return job


def _require_permission(request: HttpRequest) -> None:
    if not request.user.has_perm("recipients.add_recipientimport"):
        raise PermissionDenied
