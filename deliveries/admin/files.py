"""Form fields for the files that travel with messages."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q, QuerySet
from django.template.defaultfilters import filesizeformat
from django.utils.text import slugify

from deliveries.models import Attachment, AttachmentRole, Properties

Upload: TypeAlias = "UploadedFile[Any]"

LARGEST_FILE_BYTES = 5 * 1024 * 1024
LARGEST_TOTAL_BYTES = 10 * 1024 * 1024


class SeveralFilesInput(forms.ClearableFileInput):
    """A file input that takes several files."""

    allow_multiple_selected = True
    template_name = "django/forms/widgets/input.html"


class SeveralFilesField(forms.FileField):
    """Any number of uploaded files, each within the limit."""

    widget = SeveralFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Upload]:
        """The files. Raises ``ValidationError`` with a sentence for each file that cannot be taken."""
        files = data if isinstance(data, Sequence) else [data] if data else []
        problems: list[ValidationError] = []
        for file in files:
            try:
                super().clean(file, initial)
            except ValidationError as error:
                problems.append(error)
            if file.size and file.size > LARGEST_FILE_BYTES:
                problems.append(_too_large(file))
        if problems:
            raise ValidationError(problems)
        return list(files)


class ImagesField(SeveralFilesField):
    """Uploaded files that must be images."""

    def clean(self, data: Any, initial: Any = None) -> list[Upload]:
        """The images. Raises ``ValidationError`` with a sentence for each file that is none."""
        files = super().clean(data, initial)
        problems = [
            ValidationError(f"“{file.name}” is not an image. Upload it as an attached file instead.")
            for file in files
            if not (file.content_type or "").startswith("image/")
        ]
        if problems:
            raise ValidationError(problems)
        return files


class AttachmentsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """The files that stay: a ticked box for each."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, attachment: Any) -> str:
        """Name, size and, for an image inside the content, what to write in the HTML."""
        size = filesizeformat(attachment.size)
        if attachment.role == AttachmentRole.INLINE:
            return f"{attachment.name} ({size}), in the HTML as cid:{attachment.content_id}"
        return f"{attachment.name} ({size})"


def attachable(owner: Properties) -> QuerySet[Attachment]:
    """The owner's files, and files just uploaded that nobody owns yet (their form had another mistake)."""
    own = Q(pk__in=owner.attachments.values("pk")) if owner.pk else Q(pk__in=[])
    fresh = Q(delivery__isnull=True, deliverytemplate__isnull=True)
    return Attachment.objects.filter(own | fresh).defer("data").order_by("pk").distinct()


def store(files: Sequence[Upload], role: AttachmentRole) -> list[Attachment]:
    """Keep uploaded files."""
    return [
        Attachment.objects.create(
            name=str(file.name)[:200],
            content_type=(file.content_type or "application/octet-stream")[:100],
            role=role,
            content_id=content_identifier(str(file.name)) if role == AttachmentRole.INLINE else "",
            data=file.read(),
            size=file.size or 0,
        )
        for file in files
    ]


def content_identifier(name: str) -> str:
    """What an image is called in the HTML: its file name without the ending, in letters, digits and hyphens."""
    return slugify(name.rpartition(".")[0] or name)[:100] or "image"


def check_total(files: Sequence[Attachment]) -> None:
    """Raise ``ValidationError`` when the files together are more than a mail can carry."""
    total = sum(file.size for file in files)
    if total > LARGEST_TOTAL_BYTES:
        raise ValidationError(
            f"The files are {filesizeformat(total)} together; a message carries at most "
            f"{filesizeformat(LARGEST_TOTAL_BYTES)}. Untick some, or link to them instead."
        )


def _too_large(file: Upload) -> ValidationError:
    return ValidationError(
        f"“{file.name}” is {filesizeformat(file.size or 0)}; a file may have at most "
        f"{filesizeformat(LARGEST_FILE_BYTES)}. Make it smaller, or link to it instead."
    )
