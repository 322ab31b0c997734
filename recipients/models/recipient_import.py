"""Files of people that are read into the recipients."""

from django.db import models

from recipients.models.upload import ImportState, Upload


class Existing(models.TextChoices):
    """What an import does with people who are known already."""

    UPDATE = "update", "Update them (an empty cell never erases what is known)"
    SKIP = "skip", "Leave them as they are"


class RecipientImport(Upload):
    """A CSV file that was uploaded, what its columns mean, and what came of it."""

    file = models.FileField(upload_to="imports/")
    mapping = models.JSONField(default=dict)
    existing = models.CharField(
        "people who are known already", max_length=6, choices=Existing.choices, default=Existing.UPDATE
    )
    list_name = models.CharField(
        "put everybody on the list", max_length=200, blank=True, help_text="A list that does not exist is made."
    )
    state = models.CharField(max_length=8, choices=ImportState.choices, default=ImportState.UPLOADED, editable=False)
    octets = models.BigIntegerField(default=0, editable=False, help_text="Bytes of the file that have been read.")
    known = models.PositiveIntegerField(default=0, editable=False)
    rejects = models.FileField(upload_to="imports/", blank=True, editable=False)

    class Meta(Upload.Meta):
        verbose_name = "import"
