"""What a delivery template and a delivery share, defined once."""

from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
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


class Properties(models.Model):
    """Content and settings that a template hands on to the deliveries made from it."""

    label = models.CharField(max_length=200, help_text="Only people here see it; it names the delivery in every list.")
    code = models.CharField(
        "delivery code", max_length=64, blank=True, help_text="Optional internal code, for filters and reports."
    )
    description = models.TextField(blank=True)

    sender_name = models.CharField(
        max_length=200, blank=True, help_text="The name recipients see. Personalization is allowed."
    )
    sender_address = models.CharField(
        max_length=320, blank=True, help_text="The From address. Answers go there unless a reply address is set."
    )
    reply_name = models.CharField(max_length=200, blank=True)
    reply_address = models.CharField(
        max_length=320, blank=True, help_text="Where answers go; empty means the sender address."
    )
    subject = models.CharField(
        max_length=500, blank=True, help_text="Personalization is allowed. 50 characters or fewer read best on a phone."
    )
    html = models.TextField("HTML content", blank=True)
    text = models.TextField(
        "text content", blank=True, help_text="Empty means: made from the HTML content at the analysis."
    )
    language = models.CharField(
        max_length=16, blank=True, help_text="Language of the content, for example en or fr-CA."
    )
    attachments = models.ManyToManyField(Attachment, blank=True)

    route = models.ForeignKey(
        "deliveries.Route",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="How the mail leaves. Empty means the default route.",
    )
    part_size = models.PositiveIntegerField(
        "message batch quantity",
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(10_000)],
        help_text="Messages that one worker takes at a time. 0 = automatic.",
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label

    @classmethod
    def property_names(cls) -> tuple[str, ...]:
        """Names of the plain fields that templates and deliveries share (attachments are many-to-many, so apart)."""
        return tuple(field.name for field in Properties._meta.local_fields)

    def shared(self) -> dict[str, Any]:
        """The shared plain values, ready as keyword arguments of another template or delivery."""
        return {name: getattr(self, name) for name in self.property_names()}

    def take_attachments(self, other: "Properties") -> Self:
        """Attach the same files as ``other`` (both saved)."""
        self.attachments.set(other.attachments.all())
        return self
