"""Files of people that are the target of a delivery."""

from django.conf import settings
from django.db import models

from recipients.models.recipient import Recipient
from recipients.models.recipient_import import ImportState


class PeopleFile(models.Model):
    """A CSV file of people with columns of its own: who gets a delivery, and what it says to each.

    ``columns`` are the names under which authors write them, such as ``file.amount``, in the order of the file.
    """

    file = models.FileField(upload_to="targets/", blank=True)
    file_name = models.CharField(max_length=200, editable=False)
    columns = models.JSONField(default=list, editable=False)
    state = models.CharField(max_length=8, choices=ImportState.choices, default=ImportState.QUEUED, editable=False)
    lines = models.PositiveIntegerField(default=0, editable=False, help_text="Good lines.")
    created = models.PositiveIntegerField(default=0, editable=False, help_text="People who were not known before.")
    rejected = models.PositiveIntegerField(default=0, editable=False)
    rejects = models.FileField(upload_to="targets/", blank=True, editable=False)
    sentence = models.TextField(blank=True, editable=False, help_text="Why the file cannot be used.")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = "file of people"
        verbose_name_plural = "files of people"

    def __str__(self) -> str:
        return self.file_name


class PeopleFileLine(models.Model):
    """A good line of such a file: whom it is about, and its values by column name."""

    file = models.ForeignKey(PeopleFile, on_delete=models.CASCADE, related_name="people", db_index=False)
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="file_lines", db_constraint=False)
    values = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["file", "recipient"], name="people_file_line")]

    def __str__(self) -> str:
        return f"Line {self.pk} of file {self.file_id}"
