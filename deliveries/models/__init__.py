"""Everything the deliveries app keeps, one file per subject."""

from deliveries.models.block import PersonalizationBlock
from deliveries.models.content import Content
from deliveries.models.delivery import Delivery, Exclusion, ExclusionReason, JournalLine, Level
from deliveries.models.dkim_key import Algorithm, DkimKey
from deliveries.models.message import Message, MessageValues, message_range
from deliveries.models.part import Part
from deliveries.models.properties import Attachment, AttachmentRole, InDoubtPolicy, Priority, Properties, WavesMode
from deliveries.models.route import Route, Security
from deliveries.models.template import DeliveryTemplate

__all__ = [
    "Algorithm",
    "Attachment",
    "AttachmentRole",
    "Content",
    "Delivery",
    "DeliveryTemplate",
    "DkimKey",
    "Exclusion",
    "ExclusionReason",
    "InDoubtPolicy",
    "JournalLine",
    "Level",
    "Message",
    "MessageValues",
    "Part",
    "PersonalizationBlock",
    "Priority",
    "Properties",
    "Route",
    "Security",
    "WavesMode",
    "message_range",
]
