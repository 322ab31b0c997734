"""Files of people that are the target of a delivery."""

from django.db import models

from recipients.models.recipient import Recipient
from recipients.models.upload import ImportState, Upload


class PeopleFile(Upload):
    """A CSV file of people with columns of its own: who gets a delivery, and what it says to each.

    ``columns`` are the names under which authors write them, such as ``file.amount``, in the order of the file.
    """

    file = models.FileField(upload_to="targets/", blank=True)
    columns = models.JSONField(default=list, editable=False)
    state = models.CharField(max_length=8, choices=ImportState.choices, default=ImportState.QUEUED, editable=False)
    lines = models.PositiveIntegerField(default=0, editable=False, help_text="Good lines.")
    rejects = models.FileField(upload_to="targets/", blank=True, editable=False)

    class Meta(Upload.Meta):
        verbose_name = "file of people"
        verbose_name_plural = "files of people"


class PeopleFileLine(models.Model):
    """A good line of such a file: whom it is about, and its values by column name."""

    file = models.ForeignKey(PeopleFile, on_delete=models.CASCADE, related_name="people", db_index=False)
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="file_lines", db_constraint=False)
    values = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["file", "recipient"], name="people_file_line")]

    def __str__(self) -> str:
        return f"Line {self.pk} of file {self.file_id}"
