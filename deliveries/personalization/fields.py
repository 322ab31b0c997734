"""The fields an author may use, and how their values look at run time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class FieldKind(StrEnum):
    """Type of a field's values. Dates are ISO 8601 text in a message's values."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Field:
    """A field by the path that authors write, such as ``recipient.first_name``."""

    path: str
    label: str
    kind: FieldKind = FieldKind.TEXT


ROOTS = frozenset({"recipient", "file", "delivery", "message"})
"""How the paths of all fields begin."""
PERSONAL = ("recipient.", "file.")
"""How the paths of fields begin whose values differ from message to message and are frozen by the analysis."""

BUILT_IN = (
    Field("recipient.address", "E-mail address"),
    Field("recipient.first_name", "First name"),
    Field("recipient.last_name", "Last name"),
    Field("recipient.language", "Language"),
    Field("recipient.time_zone", "Time zone"),
    Field("recipient.mail_format", "Mail format"),
    Field("recipient.may_be_tracked", "May be tracked", FieldKind.BOOLEAN),
    Field("delivery.label", "Label of the delivery"),
    Field("delivery.code", "Delivery code"),
    Field("delivery.sender_name", "Sender name"),
    Field("delivery.sender_address", "Sender address"),
    Field("message.identifier", "Message identifier"),
    Field("message.mirror_url", "Mirror page URL"),
    Field("message.unsubscribe_url", "Unsubscription URL"),
    Field("message.date", "Date of the message", FieldKind.DATETIME),
)


def catalogue(attributes: Iterable[str] | Mapping[str, FieldKind]) -> dict[str, Field]:
    """Every field by its path: built-in ones and the recipients' attributes (text unless a kind is given)."""
    kinds = attributes if isinstance(attributes, Mapping) else dict.fromkeys(attributes, FieldKind.TEXT)
    custom = (Field(f"recipient.{name}", name.replace("_", " ").capitalize(), kind) for name, kind in kinds.items())
    return {field.path: field for field in (*BUILT_IN, *custom)}
