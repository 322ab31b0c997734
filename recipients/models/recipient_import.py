"""Files of people that are read into the recipients."""

from django.conf import settings
from django.db import models


class ImportState(models.TextChoices):
    """How far an import is."""

    UPLOADED = "uploaded", "Waiting for its columns"
    QUEUED = "queued", "Waiting for a worker"
    RUNNING = "running", "In progress"
    DONE = "done", "Done"
    FAILED = "failed", "Nothing imported"


class Existing(models.TextChoices):
    """What an import does with people who are known already."""

    UPDATE = "update", "Update them (an empty cell never erases what is known)"
    SKIP = "skip", "Leave them as they are"


class RecipientImport(models.Model):
    """A CSV file that was uploaded, what its columns mean, and what came of it."""

    file = models.FileField(upload_to="imports/")
    file_name = models.CharField(max_length=200, editable=False)
    mapping = models.JSONField(default=dict)
    existing = models.CharField(
        "people who are known already", max_length=6, choices=Existing.choices, default=Existing.UPDATE
    )
    list_name = models.CharField(
        "put everybody on the list", max_length=200, blank=True, help_text="A list that does not exist is made."
    )
    state = models.CharField(max_length=8, choices=ImportState.choices, default=ImportState.UPLOADED, editable=False)
    octets = models.BigIntegerField(default=0, editable=False, help_text="Bytes of the file that have been read.")
    created = models.PositiveIntegerField(default=0, editable=False)
    known = models.PositiveIntegerField(default=0, editable=False)
    rejected = models.PositiveIntegerField(default=0, editable=False)
    rejects = models.FileField(upload_to="imports/", blank=True, editable=False)
    sentence = models.TextField(blank=True, editable=False, help_text="Why nothing was imported.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = "import"

    def __str__(self) -> str:
        return self.file_name
