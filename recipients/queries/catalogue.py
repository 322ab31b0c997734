"""What may be asked about recipients: fields with their kind, and the operators of each kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from psycopg import sql

from recipients.models import AttributeDefinition, Consent, MailFormat, RecipientList, Service


class Kind(StrEnum):
    """Type of a field: it says which operators there are and what their values look like."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    MEMBER = "member"
    BEHAVIOUR = "behaviour"


class Takes(StrEnum):
    """What an operator wants beside it."""

    NOTHING = "nothing"
    TEXT = "text"
    LINES = "lines"
    NUMBER = "number"
    NUMBERS = "numbers"
    DATE = "date"
    DATES = "dates"
    DAYS = "days"
    CHOICE = "choice"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True)
class Operator:
    """A question: its words, and the value it takes."""

    label: str
    takes: Takes


_EMPTY = {"empty": Operator("is empty", Takes.NOTHING), "filled": Operator("is not empty", Takes.NOTHING)}
_DATES = {
    "on": Operator("is on", Takes.DATE),
    "before": Operator("is before", Takes.DATE),
    "after": Operator("is after", Takes.DATE),
    "between": Operator("is between (both included)", Takes.DATES),
    "past_days": Operator("is in the past … days", Takes.DAYS),
    "next_days": Operator("is in the next … days", Takes.DAYS),
    "not_past_days": Operator("is not in the past … days", Takes.DAYS),
}

OPERATORS: Mapping[Kind, Mapping[str, Operator]] = {
    Kind.TEXT: {
        "equals": Operator("is", Takes.TEXT),
        "differs": Operator("is not", Takes.TEXT),
        "contains": Operator("contains", Takes.TEXT),
        "lacks": Operator("does not contain", Takes.TEXT),
        "begins": Operator("begins with", Takes.TEXT),
        "ends": Operator("ends with", Takes.TEXT),
        "in": Operator("is one of (one a line)", Takes.LINES),
        "not_in": Operator("is none of (one a line)", Takes.LINES),
        **_EMPTY,
    },
    Kind.NUMBER: {
        "equals": Operator("is", Takes.NUMBER),
        "differs": Operator("is not", Takes.NUMBER),
        "below": Operator("is less than", Takes.NUMBER),
        "above": Operator("is more than", Takes.NUMBER),
        "at_most": Operator("is at most", Takes.NUMBER),
        "at_least": Operator("is at least", Takes.NUMBER),
        "between": Operator("is between (both included)", Takes.NUMBERS),
        **_EMPTY,
    },
    Kind.DATE: {**_DATES, **_EMPTY},
    Kind.DATETIME: {**_DATES, **_EMPTY},
    Kind.BOOLEAN: {
        "yes": Operator("is yes", Takes.NOTHING),
        "no": Operator("is no", Takes.NOTHING),
        **_EMPTY,
    },
    Kind.CHOICE: {"equals": Operator("is", Takes.CHOICE), "differs": Operator("is not", Takes.CHOICE)},
    Kind.MEMBER: {"in": Operator("is", Takes.CHOICE), "not_in": Operator("is not", Takes.CHOICE)},
    Kind.BEHAVIOUR: {
        "delivery": Operator("the delivery", Takes.DELIVERY),
        "not_delivery": Operator("not the delivery", Takes.DELIVERY),
        "past_days": Operator("a delivery of the past … days", Takes.DAYS),
        "not_past_days": Operator("no delivery of the past … days", Takes.DAYS),
    },
}

Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What people did in earlier deliveries, told by the app that knows.

    ``recipients`` gives ``SELECT recipient_id …`` of those who did it in one of the deliveries; ``recent`` gives the
    deliveries that began since a time; ``choices`` those that may be chosen.
    """

    label: str
    recipients: Callable[[Sequence[int]], sql.Composable]
    recent: Callable[[datetime], Sequence[int]]
    choices: Callable[[], Choices]


_behaviours: dict[str, Behaviour] = {}


def register_behaviour(name: str, behaviour: Behaviour) -> None:
    """Make ``did.<name>`` known; called when the app that knows is ready."""
    _behaviours[f"did.{name}"] = behaviour


def behaviour(path: str) -> Behaviour:
    """The behaviour with this path."""
    return _behaviours[path]


_NO_EXPRESSION: Final = sql.SQL("")


@dataclass(frozen=True, slots=True)
class Field:
    """Something that may be asked: its path in definitions, words, kind, and the SQL expression of its value.

    ``choices`` gives the values that may be chosen, with their words; it is asked when somebody needs them.
    """

    path: str
    label: str
    kind: Kind
    expression: sql.Composable
    choices: Callable[[], Choices] = tuple
    group: str = "Recipient"


def _column(name: str) -> sql.Composable:
    return sql.SQL("recipient.{}").format(sql.Identifier(name))


def _lists() -> Choices:
    return [(str(pk), name) for pk, name in RecipientList.objects.values_list("pk", "name")]


def _services() -> Choices:
    return [(str(pk), name) for pk, name in Service.objects.values_list("pk", "name")]


_BUILT_IN = (
    Field("address", "E-mail address", Kind.TEXT, _column("address")),
    Field("first_name", "First name", Kind.TEXT, _column("first_name")),
    Field("last_name", "Last name", Kind.TEXT, _column("last_name")),
    Field("language", "Language", Kind.TEXT, _column("language")),
    Field("time_zone", "Time zone", Kind.TEXT, _column("time_zone")),
    Field("mail_format", "Mail format", Kind.CHOICE, _column("mail_format"), lambda: list(MailFormat.choices)),
    Field("may_be_tracked", "May be tracked", Kind.BOOLEAN, _column("may_be_tracked")),
    Field("consent", "Consent", Kind.CHOICE, _column("consent"), lambda: list(Consent.choices)),
    Field("consent_at", "Consent changed at", Kind.DATETIME, _column("consent_at")),
    Field("created_at", "Added at", Kind.DATETIME, _column("created_at")),
    Field("list", "On the list", Kind.MEMBER, _NO_EXPRESSION, _lists, group="Lists and consent"),
    Field("service", "Consent to the service", Kind.MEMBER, _NO_EXPRESSION, _services, group="Lists and consent"),
    Field("denylisted", "On the denylist", Kind.BOOLEAN, group="Lists and consent", expression=sql.SQL(
        "EXISTS (SELECT 1 FROM recipients_denylist denied WHERE denied.recipient_id = recipient.id)")),
    Field("quarantined", "Address in quarantine", Kind.BOOLEAN, group="Lists and consent", expression=sql.SQL(
        "EXISTS (SELECT 1 FROM recipients_quarantine held WHERE held.address_key = recipient.address_key"
        " AND held.status = 'quarantine')")),
)  # fmt: skip

_FROM_JSON = {
    Kind.TEXT: "CASE WHEN jsonb_typeof({value}) = 'string' THEN {text} END",
    Kind.NUMBER: "CASE WHEN jsonb_typeof({value}) = 'number' THEN {text}::numeric END",
    Kind.BOOLEAN: "CASE WHEN jsonb_typeof({value}) = 'boolean' THEN {text}::boolean END",
    Kind.DATE: "CASE WHEN {text} LIKE '____-__-__%' AND pg_input_is_valid({text}, 'date') THEN {text}::date END",
    Kind.DATETIME: "CASE WHEN {text} LIKE '____-__-__%' AND pg_input_is_valid({text}, 'timestamptz') "
    "THEN {text}::timestamptz END",
}


def _attribute(name: str, kind: Kind) -> sql.Composable:
    """The value of an attribute; NULL when it is missing or of another type."""
    return sql.SQL(_FROM_JSON[kind]).format(
        value=sql.SQL("recipient.attributes -> {}").format(sql.Literal(name)),
        text=sql.SQL("(recipient.attributes ->> {})").format(sql.Literal(name)),
    )


def fields() -> dict[str, Field]:
    """Every field by its path, custom attributes and behaviours included."""
    custom = [
        Field(f"attribute.{name}", label or name, Kind(kind), _attribute(name, Kind(kind)), group="Custom attributes")
        for name, label, kind in AttributeDefinition.objects.values_list("name", "label", "kind")
    ]
    done = [
        Field(path, known.label, Kind.BEHAVIOUR, _NO_EXPRESSION, known.choices, group="Earlier deliveries")
        for path, known in _behaviours.items()
    ]
    return {field.path: field for field in (*_BUILT_IN, *custom, *done)}


def describe() -> list[dict[str, Any]]:
    """The catalogue for the builder in the browser: plain values."""
    return [
        {
            "path": field.path,
            "label": field.label,
            "group": field.group,
            "choices": [list(choice) for choice in field.choices()],
            "operators": [
                {"name": name, "label": operator.label, "takes": operator.takes.value}
                for name, operator in OPERATORS[field.kind].items()
            ],
        }
        for field in fields().values()
    ]
