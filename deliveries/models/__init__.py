"""Everything the deliveries app keeps, one file per subject."""

from deliveries.models.ab_test import LETTERS, AbTest, Measure, Unsure, Variant
from deliveries.models.archive import Archive, ArchiveCopy, ArchivePolicy, CopyState
from deliveries.models.audit import AuditLine
from deliveries.models.block import PersonalizationBlock
from deliveries.models.content import Content
from deliveries.models.delivery import Delivery, Exclusion, ExclusionReason, JournalLine, Level, ShareMode
from deliveries.models.dkim_key import Algorithm, DkimKey
from deliveries.models.domain_limit import DomainLimit
from deliveries.models.erasure import Erasure
from deliveries.models.message import Message, MessageValues, message_range
from deliveries.models.part import Part
from deliveries.models.proof import ProofLine
from deliveries.models.properties import (
    ApprovalMode,
    Attachment,
    AttachmentRole,
    InDoubtPolicy,
    MailFormats,
    MirrorMode,
    Priority,
    Properties,
    WavesMode,
)
from deliveries.models.route import Route, RouteToken, SenderDomainRoute
from deliveries.models.seed import SeedAddress, SeedGroup
from deliveries.models.template import DeliveryTemplate, PlatformDefaults
from deliveries.models.typology import CheckLevel, Typology, TypologyCheck

__all__ = [
    "LETTERS",
    "AbTest",
    "Algorithm",
    "ApprovalMode",
    "Archive",
    "ArchiveCopy",
    "ArchivePolicy",
    "Attachment",
    "AttachmentRole",
    "AuditLine",
    "CheckLevel",
    "Content",
    "CopyState",
    "Delivery",
    "DeliveryTemplate",
    "DkimKey",
    "DomainLimit",
    "Erasure",
    "Exclusion",
    "ExclusionReason",
    "InDoubtPolicy",
    "JournalLine",
    "Level",
    "MailFormats",
    "Measure",
    "Message",
    "MessageValues",
    "MirrorMode",
    "Part",
    "PersonalizationBlock",
    "PlatformDefaults",
    "Priority",
    "ProofLine",
    "Properties",
    "Route",
    "RouteToken",
    "SeedAddress",
    "SeedGroup",
    "SenderDomainRoute",
    "ShareMode",
    "Typology",
    "TypologyCheck",
    "Unsure",
    "Variant",
    "WavesMode",
    "message_range",
]
