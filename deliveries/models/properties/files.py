"""Files that travel with messages."""

from django.db import models


class AttachmentRole(models.TextChoices):
    """How a file travels with a message."""

    ATTACHED = "attached", "Attached file"
    INLINE = "inline", "Image inside the content"


class Attachment(models.Model):
    """A file that travels with messages. Never changed after upload, so that deliveries may share it."""

    name = models.CharField("file name", max_length=200)
    content_type = models.CharField(max_length=100)
    role = models.CharField(max_length=8, choices=AttachmentRole.choices, default=AttachmentRole.ATTACHED)
    content_id = models.SlugField(
        "content identifier",
        max_length=100,
        blank=True,
        help_text="For an image inside the content: write <code>cid:identifier</code> as its address in the HTML.",
    )
    data = models.BinaryField(editable=False)
    size = models.PositiveIntegerField(editable=False, help_text="bytes")

    def __str__(self) -> str:
        return self.name
