"""What a query means, said once more in Python: the measure of its compiled form."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from recipients.models import Recipient
from recipients.queries.definition import Condition, Group, Match, read

COLUMNS = ("address", "first_name", "last_name", "language", "time_zone", "mail_format", "consent")


def holds(definition: Any, person: Recipient, kinds: dict[str, str], at: datetime) -> bool:
    """Whether a recipient is among those whom a query finds. ``kinds`` are those of the custom attributes."""
    return _group(read(definition), person, kinds, at)


def _group(group: Group, person: Recipient, kinds: dict[str, str], at: datetime) -> bool:
    results = [
        _group(item, person, kinds, at) if isinstance(item, Group) else _condition(item, person, kinds, at)
        for item in group.items
    ]
    return {Match.ALL: all(results), Match.ANY: any(results), Match.NONE: not any(results)}[group.match]


def _condition(condition: Condition, person: Recipient, kinds: dict[str, str], at: datetime) -> bool:
    name = condition.field.removeprefix("attribute.")
    if condition.field == "list":
        found = person.memberships.filter(list_id=int(condition.value)).exists()
        return found != condition.operator.startswith("not")
    if condition.field in COLUMNS:
        return _text(condition.operator, getattr(person, name), condition.value)
    value = person.attributes.get(name)
    match kinds[name]:
        case "text":
            return _text(condition.operator, value if isinstance(value, str) else None, condition.value)
        case "number":
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return _number(condition.operator, value if is_number else None, condition.value)
        case "boolean":
            own = value if isinstance(value, bool) else None
            return {"yes": own is True, "no": own is False, "empty": own is None, "filled": own is not None}[
                condition.operator
            ]
    return _date(condition.operator, _as_date(value), condition.value, at)


def _text(operator: str, own: str | None, asked: Any) -> bool:
    if operator == "empty":
        return not own
    if operator == "filled":
        return bool(own)
    low = own.lower() if own is not None else None
    lines = [line.strip().lower() for line in str(asked).split("\n") if line.strip()]
    text = str(asked).strip().lower()
    match operator:
        case "equals":
            return low == text
        case "differs":
            return low != text
        case "in":
            return low in lines
        case "not_in":
            return low not in lines
        case "contains":
            return low is not None and text in low
        case "lacks":
            return low is None or text not in low
        case "begins":
            return low is not None and low.startswith(text)
    return low is not None and low.endswith(text)


def _number(operator: str, own: float | None, asked: Any) -> bool:
    if operator in {"empty", "filled"}:
        return (own is None) == (operator == "empty")
    if operator == "differs":
        return own is None or own != asked
    if own is None:
        return False
    if operator == "between":
        return bool(asked[0] <= own <= asked[1])
    results: dict[str, bool] = {
        "equals": own == asked,
        "below": own < asked,
        "above": own > asked,
        "at_most": own <= asked,
        "at_least": own >= asked,
    }
    return results[operator]


def _as_date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _date(operator: str, own: date | None, asked: Any, at: datetime) -> bool:
    today = at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    if operator in {"empty", "filled"}:
        return (own is None) == (operator == "empty")
    if operator in {"past_days", "not_past_days"}:
        within = own is not None and today - timedelta(days=asked) <= own <= today
        return within != operator.startswith("not")
    if own is None:
        return False
    match operator:
        case "on":
            return own == date.fromisoformat(asked)
        case "before":
            return own < date.fromisoformat(asked)
        case "after":
            return own > date.fromisoformat(asked)
        case "between":
            return date.fromisoformat(asked[0]) <= own <= date.fromisoformat(asked[1])
    return today <= own <= today + timedelta(days=asked)
