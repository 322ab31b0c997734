"""What files of people have in common, whatever they are read for."""

from django.conf import settings
from django.db import models


class ImportState(models.TextChoices):
    """How far reading a file is."""

    UPLOADED = "uploaded", "Waiting for its columns"
    QUEUED = "queued", "Waiting for a worker"
    RUNNING = "running", "In progress"
    DONE = "done", "Done"
    FAILED = "failed", "Nothing imported"


class Upload(models.Model):
    """A CSV file of people that somebody uploaded, and what came of reading it.

    A kind of upload has ``file`` and ``rejects`` (the lines that could not be used) in a folder of its own, and begins
    in a ``state`` of its own.
    """

    file: models.FileField
    rejects: models.FileField
    file_name = models.CharField(max_length=200, editable=False)
    created = models.PositiveIntegerField(default=0, editable=False, help_text="People who were not known before.")
    rejected = models.PositiveIntegerField(default=0, editable=False)
    sentence = models.TextField(blank=True, editable=False, help_text="Why nothing came of it.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    class Meta:
        abstract = True
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.file_name
