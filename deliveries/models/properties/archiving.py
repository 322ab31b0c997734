"""Whether exact copies are archived, and where."""

from django.core.exceptions import ValidationError
from django.db import models


class ArchivingProperties(models.Model):
    """The box, and the archive."""

    archive_emails = models.BooleanField(
        default=False,
        help_text="Keep an exact copy of every accepted message outside. Opens and clicks made on a copy look like the "
        "recipient's, unless they come from the archive's own networks.",
    )
    archive = models.ForeignKey(
        "deliveries.Archive",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Where copies go. Archives are set up under “Archives”.",
    )

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Copies need a place."""
        super().clean()
        if self.archive_emails and self.archive_id is None:
            raise ValidationError({"archive": "Choose an archive, or untick “archive emails”."})
