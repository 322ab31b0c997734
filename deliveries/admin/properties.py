"""What the forms of deliveries and delivery templates share."""

import re
from typing import Any, ClassVar, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, QueryDict
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from campaign import ui
from campaign.lib.primary_keys import primary_keys
from deliveries.admin import headers, insert
from deliveries.admin.files import AttachmentsField, ImagesField, SeveralFilesField, attachable, check_total, store
from deliveries.admin.origin import origins
from deliveries.admin.schedule import DurationField, LocalTimeInput
from deliveries.analysis.bounce_addresses import DomainRefused, check_fixed
from deliveries.analysis.source import compile_properties
from deliveries.archiving.policy import locked_archive
from deliveries.models import Archive, Attachment, AttachmentRole, Delivery, Properties
from deliveries.personalization.errors import PersonalizationErrors
from deliveries.rendering.encode import MessageError
from deliveries.rendering.return_path import ReturnPath
from recipients.addresses import AddressError, normalise

UPLOADS = ("new_files", "new_images")

PICKED = ("sender_name", "subject", "html", "text", "error_address", "investigation_address")
"""Fields that take personalization."""


def help_of(name: str) -> str:
    """The help text that the property has on its model."""
    return str(cast("models.Field[Any, Any]", Delivery._meta.get_field(name)).help_text)


_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
ZONE = f"In the time zone {settings.TIME_ZONE}."


class PropertiesForm(forms.ModelForm[Any]):
    """Content, files and settings."""

    attachments = AttachmentsField(
        queryset=Attachment.objects.none(), required=False, label="Files", help_text="Untick a file to remove it."
    )
    new_files = SeveralFilesField(
        required=False, label="Attach files", help_text="One or several, 5 MB each, 10 MB together."
    )
    new_images = ImagesField(
        required=False,
        label="Add images for the content",
        help_text="They travel inside the message. An image logo.png is shown in the HTML by "
        "<code>&lt;img src=&quot;cid:logo&quot;&gt;</code>.",
    )

    validity = DurationField(label="Delivery duration", help_text=help_of("validity"))
    resources_validity = DurationField(label="Validity limit of resources", help_text=help_of("resources_validity"))
    ends_at = forms.DateTimeField(
        required=False, label="End of the delivery", widget=LocalTimeInput, help_text=f"{help_of('ends_at')} {ZONE}"
    )
    resources_end_at = forms.DateTimeField(
        required=False,
        label="End of the resources",
        widget=LocalTimeInput,
        help_text=f"{help_of('resources_end_at')} {ZONE}",
    )
    personalization_time = DurationField(
        label="Maximum personalization time", help_text=help_of("personalization_time")
    )
    tracking_validity = DurationField(label="Validity period of tracking", help_text=help_of("tracking_validity"))
    retry_period = DurationField(help_text=help_of("retry_period"))
    wave_interval = DurationField(label="Time between waves", help_text=help_of("wave_interval"))

    class Meta:
        widgets: ClassVar[dict[str, Any]] = {
            "sender_name": insert.InsertTextInput,
            "subject": insert.InsertTextInput,
            "error_address": insert.InsertTextInput,
            "investigation_address": insert.InsertTextInput,
            "html": insert.InsertTextarea(attrs={"rows": 18, "spellcheck": "false", "class": "code"}),
            "text": insert.InsertTextarea(attrs={"rows": 10}),
            "description": ui.Textarea(attrs={"rows": 3}),
            "wave_calendar": ui.Textarea(attrs={"rows": 4}),
            "url_parameters": ui.Textarea(attrs={"rows": 4}),
            "url_parameter_hosts": ui.Textarea(attrs={"rows": 2}),
            "smtp_headers": headers.HeadersInput(attrs={"rows": 6, "spellcheck": "false", "class": "code"}),
        }
        field_classes: ClassVar[dict[str, Any]] = {
            "html": insert.VerbatimField,
            "text": insert.VerbatimField,
            "smtp_headers": headers.HeadersField,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "attachments" in self.fields:
            field = self.fields["attachments"]
            field.queryset = attachable(self.instance)  # type: ignore[attr-defined]
            self._show_own_files_only()
        choices = insert.choices(self.instance)
        for name in PICKED:
            if name in self.fields:
                self.fields[name].widget.choices = choices
        if "archive" in self.fields and (locked := locked_archive()) is not None:
            self._show_locked(locked)
        self._say_origins()
        if "smtp_headers" in self.fields:
            self.fields["smtp_headers"].widget.choices = headers.choices(choices)

    def clean_sender_address(self) -> str:
        """A fixed address must be one."""
        return check_address(self.cleaned_data["sender_address"])

    def clean_reply_address(self) -> str:
        """A fixed address must be one."""
        return check_address(self.cleaned_data["reply_address"])

    def clean_language(self) -> str:
        """A language tag, for the mail's header and the page's readers (RFC 5646)."""
        language: str = self.cleaned_data["language"].strip()
        if language and not _LANGUAGE.fullmatch(language):
            raise ValidationError("This is no language code. Write one such as en or fr-CA.")
        return language

    def clean_error_address(self) -> str:
        """A fixed address is judged here; a personalized one with the messages of an analysis."""
        address: str = self.cleaned_data["error_address"]
        if not address.strip() and not self.cleaned_data.get("default_error_address", True):
            raise ValidationError("Write the error address, or tick the box above.")
        return check_bounce_address("the error address", address, ReturnPath(settings.RETURN_PATH))

    def clean_investigation_address(self) -> str:
        """The same for the address that takes what no rule could qualify."""
        address = self.cleaned_data["investigation_address"]
        return check_bounce_address("the investigation address", address, ReturnPath.PLAIN)

    def clean_smtp_headers(self) -> str:
        """The script, once each of its lines can be used."""
        script: str = self.cleaned_data["smtp_headers"]
        headers.check_script(script, self.cleaned_data.get("reply_address", self.instance.reply_address))
        return script

    def clean(self) -> dict[str, Any]:
        """Keep uploaded files even when another field is wrong, so that nobody has to upload them twice."""
        cleaned = super().clean() or self.cleaned_data
        if "attachments" not in self.fields:
            return cleaned
        fresh = [
            *store(cleaned.get("new_files") or [], AttachmentRole.ATTACHED),
            *store(cleaned.get("new_images") or [], AttachmentRole.INLINE),
        ]
        files = [*(cleaned.get("attachments") or []), *fresh]
        self._keep_ticked(fresh)
        cleaned["attachments"] = attachable(self.instance).filter(pk__in=[file.pk for file in files])
        try:
            check_total(files)
        except ValidationError as error:
            self.add_error("attachments", error)
        return cleaned

    def _say_origins(self) -> None:
        """Behind each help text, where the value comes from."""
        names = [name for name in Properties.property_names() if name in self.fields]
        for name, words in origins(self.instance, names).items():
            field = self.fields[name]
            field.help_text = format_html('{} <span class="c-origin">{}</span>', mark_safe(field.help_text), words)  # noqa: S308

    def _show_locked(self, archive: Archive) -> None:
        """The box and the archive that nobody can change here."""
        for name, value in (("archive_emails", True), ("archive", archive.pk)):
            self.initial[name] = value
            self.fields[name].disabled = True
            self.fields[name].help_text = format_html(
                "Every delivery is archived in “{}”: the operator set it so.", archive
            )

    def _keep_ticked(self, fresh: list[Attachment]) -> None:
        if not fresh:
            return
        name = self.add_prefix("attachments")
        data = cast(QueryDict, self.data).copy()
        data.setlist(name, [*data.getlist(name), *(str(file.pk) for file in fresh)])
        self.data = data
        self._show_own_files_only()

    def _show_own_files_only(self) -> None:
        """Offer the owner's files and those this form has just taken; all others are nobody's business here."""
        shown = set(self.instance.attachments.values_list("pk", flat=True)) if self.instance.pk else set()
        if self.is_bound:
            posted = cast(QueryDict, self.data).getlist(self.add_prefix("attachments"))
            shown |= set(primary_keys(map(str, posted)))
        field = self.fields["attachments"]
        field.queryset = attachable(self.instance).filter(pk__in=shown)  # type: ignore[attr-defined]
        if not shown:
            field.help_text = "No file yet."


class PropertiesAdmin(ui.ModelAdmin):
    """The admin that deliveries and delivery templates derive from."""

    form = PropertiesForm

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Somebody who may only look has nothing to upload."""
        may_save = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return super().get_fieldsets(request, obj) if may_save else [_to_look_at(entry) for entry in self.fieldsets]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: Any) -> None:
        """After saving, say what an analysis would refuse; what was typed is kept all the same."""
        super().save_related(request, form, formsets, change)
        for sentence in content_problems(form.instance):
            messages.warning(request, f"Saved, but an analysis would refuse this: {sentence}")


def _to_look_at(fieldset: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    name, options = fieldset
    return name, {**options, "fields": [field for field in options["fields"] if field not in UPLOADS]}


def check_address(address: str) -> str:
    """The address without blanks around it. Raises ``ValidationError`` for a fixed one that is none."""
    address = address.strip()
    if address and "{" not in address:
        try:
            normalise(address)
        except AddressError as error:
            raise ValidationError(str(error)) from error
    return address


def check_bounce_address(where: str, address: str, form: ReturnPath) -> str:
    """The address without blanks around it. Raises ``ValidationError`` for a fixed one that cannot be used."""
    address = address.strip()
    if address and "{" not in address:
        try:
            check_fixed(where, address, form)
        except (MessageError, DomainRefused) as error:
            raise ValidationError(str(error)) from error
    return address


def content_problems(properties: Properties) -> list[str]:
    """A sentence for each mistake in the personalization."""
    try:
        compile_properties(properties)
    except PersonalizationErrors as errors:
        return [str(error) for error in errors]
    return []
