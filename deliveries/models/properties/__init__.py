"""What a delivery template and a delivery share, defined once: one file per subject, put together here."""

from typing import Any, Self

from deliveries.models.properties.approval import ApprovalMode, ApprovalProperties
from deliveries.models.properties.archiving import ArchivingProperties
from deliveries.models.properties.content import ContentProperties
from deliveries.models.properties.exclusions import ExclusionProperties
from deliveries.models.properties.files import Attachment, AttachmentRole
from deliveries.models.properties.sending import InDoubtPolicy, MailFormats, Priority, SendingProperties
from deliveries.models.properties.smtp import SmtpProperties
from deliveries.models.properties.tracking import TrackingProperties
from deliveries.models.properties.typology import TypologyProperties
from deliveries.models.properties.validity import MirrorMode, ValidityProperties
from deliveries.models.properties.waves import WavesMode, WavesProperties

__all__ = [
    "ApprovalMode",
    "Attachment",
    "AttachmentRole",
    "InDoubtPolicy",
    "MailFormats",
    "MirrorMode",
    "Priority",
    "Properties",
    "WavesMode",
]


class Properties(
    ContentProperties,
    SendingProperties,
    WavesProperties,
    ArchivingProperties,
    ValidityProperties,
    SmtpProperties,
    ExclusionProperties,
    TypologyProperties,
    TrackingProperties,
    ApprovalProperties,
):
    """Content and settings that a template hands on to the deliveries made from it."""

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
