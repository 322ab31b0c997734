"""From a query to a condition in SQL on ``recipients_recipient recipient``.

Every condition is true or false, never NULL: what is not known does not hold, and *is not*, *none of* are the exact
opposite of *is*, *one of*. No value of an author stands in the SQL but as a quoted literal.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from psycopg import sql

from campaign.lib.clock import now
from recipients.queries.catalogue import OPERATORS, Field, Kind, Takes, behaviour, fields
from recipients.queries.definition import Condition, Group, Match, QueryProblem, read

LONGEST_TEXT = 10_000
MOST_LINES = 10_000
MOST_DAYS = 36_500
_GREATEST = Decimal(10) ** 30


def compiled(definition: Any, *, at: datetime | None = None) -> sql.Composable:
    """The condition of a definition, with relative dates counted from ``at`` (now).

    Raises :class:`recipients.queries.definition.QueryProblem` with a sentence that names the field.
    """
    return _group(read(definition), fields(), at or now())


def _group(group: Group, known: Mapping[str, Field], at: datetime) -> sql.Composable:
    parts = [
        _group(item, known, at) if isinstance(item, Group) else _condition(item, known, at) for item in group.items
    ]
    word = sql.SQL(" AND " if group.match is Match.ALL else " OR ")
    joined = sql.SQL("({})").format(word.join(parts))
    return sql.SQL("NOT {}").format(joined) if group.match is Match.NONE else joined


def _condition(condition: Condition, known: Mapping[str, Field], at: datetime) -> sql.Composable:
    field = known.get(condition.field)
    if field is None:
        raise QueryProblem(f"There is no field “{condition.field[:100]}” any more. Choose another one.")
    operator = OPERATORS[field.kind].get(condition.operator)
    if operator is None:
        raise QueryProblem(f"“{field.label}” cannot be asked that. Choose another operator.")
    try:
        value = _READERS[operator.takes](condition.value, field)
    except QueryProblem as problem:
        raise QueryProblem(f"{field.label}: {problem}") from problem
    return sql.SQL("coalesce({}, false)").format(_KINDS[field.kind](field, condition.operator, value, at))


# What a condition's value must look like.


def _nothing(value: Any, field: Field) -> None:
    """Whatever stood there before another operator was chosen is passed over."""


def _text(value: Any, field: Field) -> str:
    if not isinstance(value, str) or not value.strip():
        raise QueryProblem("Write a text, or ask whether it is empty.")
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise QueryProblem("The text holds a character that no text can hold. Write it anew.")
    if len(value) > LONGEST_TEXT:
        raise QueryProblem(f"The text is longer than {LONGEST_TEXT:,} characters.")
    return value.strip()


def _lines(value: Any, field: Field) -> list[str]:
    lines = value.split("\n") if isinstance(value, str) else []
    texts = [_text(line, field) for line in lines if line.strip()]
    if not texts or len(texts) > MOST_LINES:
        raise QueryProblem(f"Write between one and {MOST_LINES:,} lines.")
    return texts


def _number(value: Any, field: Field) -> Decimal:
    try:
        number = Decimal(str(value).strip()) if not isinstance(value, bool) else Decimal("nan")
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or abs(number) >= _GREATEST:
        raise QueryProblem("Write a number such as 12.5.")
    return number


def _two(one: Callable[[Any, Field], Any]) -> Callable[[Any, Field], list[Any]]:
    def both(value: Any, field: Field) -> list[Any]:
        if not isinstance(value, list) or len(value) != 2:
            raise QueryProblem("Write both ends.")
        return [one(end, field) for end in value]

    return both


def _date(value: Any, field: Field) -> date:
    try:
        found = date.fromisoformat(value)
    except (TypeError, ValueError):
        found = date.min
    if not 1000 <= found.year <= 9000:
        raise QueryProblem("Write a date such as 2026-12-31.")
    return found


def _days(value: Any, field: Field) -> int:
    number = _number(value, field)
    if number != int(number) or not 1 <= number <= MOST_DAYS:
        raise QueryProblem(f"Write a whole number of days from 1 to {MOST_DAYS:,}.")
    return int(number)


def _choice(value: Any, field: Field) -> str:
    if not isinstance(value, str) or value not in dict(field.choices()):
        raise QueryProblem("What was chosen is not there any more. Choose again.")
    return value


_READERS: Mapping[Takes, Callable[[Any, Field], Any]] = {
    Takes.NOTHING: _nothing,
    Takes.TEXT: _text,
    Takes.LINES: _lines,
    Takes.NUMBER: _number,
    Takes.NUMBERS: _two(_number),
    Takes.DATE: _date,
    Takes.DATES: _two(_date),
    Takes.DAYS: _days,
    Takes.CHOICE: _choice,
    Takes.DELIVERY: _choice,
}


# The conditions of each kind.


def _sql(template: str, **parts: Any) -> sql.Composable:
    named = {name: part if isinstance(part, sql.Composable) else sql.Literal(part) for name, part in parts.items()}
    return sql.SQL(template).format(**named)


def _pattern(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _of_text(field: Field, operator: str, value: Any, at: datetime) -> sql.Composable:
    own = field.expression
    match operator:
        case "empty":
            return _sql("coalesce({own}, '') = ''", own=own)
        case "filled":
            return _sql("{own} <> ''", own=own)
        case "in" | "not_in":
            negation = "NOT " if operator == "not_in" else ""
            values = sql.SQL(", ").join(_sql("lower({text})", text=text) for text in value)
            return _sql(negation + "coalesce(lower({own}) IN ({values}), false)", own=own, values=values)
        case "equals" | "differs":
            negation = "NOT " if operator == "differs" else ""
            return _sql(negation + "coalesce(lower({own}) = lower({text}), false)", own=own, text=value)
    pattern = {"begins": f"{_pattern(value)}%", "ends": f"%{_pattern(value)}"}.get(operator, f"%{_pattern(value)}%")
    negation = "NOT " if operator == "lacks" else ""
    return _sql(negation + "coalesce(lower({own}) LIKE lower({pattern}), false)", own=own, pattern=pattern)


_COMPARISONS = {
    "equals": "{own} = {value}",
    "differs": "{own} IS DISTINCT FROM {value}",
    "below": "{own} < {value}",
    "above": "{own} > {value}",
    "at_most": "{own} <= {value}",
    "at_least": "{own} >= {value}",
    "empty": "{own} IS NULL",
    "filled": "{own} IS NOT NULL",
}


def _of_number(field: Field, operator: str, value: Any, at: datetime) -> sql.Composable:
    if operator == "between":
        return _sql("{own} BETWEEN {low} AND {high}", own=field.expression, low=value[0], high=value[1])
    return _sql(_COMPARISONS[operator], own=field.expression, value=value)


def _span(operator: str, value: Any, today: date) -> tuple[date, date]:
    """First day, and the day after the last."""
    match operator:
        case "on":
            return value, value + timedelta(days=1)
        case "before":
            return date(1, 1, 1), value
        case "after":
            return value + timedelta(days=1), date(9999, 12, 31)
        case "between":
            return value[0], value[1] + timedelta(days=1)
        case "next_days":
            return today, min(date(9998, 1, 1), today + timedelta(days=value + 1))
    return max(date(1000, 1, 1), today - timedelta(days=value)), today + timedelta(days=1)


def _of_time(field: Field, operator: str, value: Any, at: datetime) -> sql.Composable:
    if operator in {"empty", "filled"}:
        return _sql(_COMPARISONS[operator], own=field.expression)
    zone = ZoneInfo(settings.TIME_ZONE)
    first, end = _span(operator, value, at.astimezone(zone).date())
    low, high = (
        (_sql("{day}::date", day=day.isoformat()) for day in (first, end))
        if field.kind is Kind.DATE
        else (_sql("{moment}::timestamptz", moment=_midnight(day, zone)) for day in (first, end))
    )
    within = _sql("coalesce({own} >= {low} AND {own} < {high}, false)", own=field.expression, low=low, high=high)
    return _sql("NOT {within}", within=within) if operator == "not_past_days" else within


def _midnight(day: date, zone: ZoneInfo) -> str:
    if day.year < 2 or day.year > 9998:  # an offset would lead out of the calendar
        return f"{day.isoformat()}T00:00:00+00:00"
    return datetime.combine(day, time(), zone).isoformat()


def _of_boolean(field: Field, operator: str, value: Any, at: datetime) -> sql.Composable:
    template = {"yes": "{own}", "no": "NOT {own}", **_COMPARISONS}[operator]
    return _sql(template, own=field.expression)


def _of_choice(field: Field, operator: str, value: Any, at: datetime) -> sql.Composable:
    return _sql(_COMPARISONS[operator], own=field.expression, value=value)


_MEMBERS = {
    "list": "SELECT recipient_id FROM recipients_listmembership WHERE list_id = {chosen}",
    "service": "SELECT recipient_id FROM recipients_subscription WHERE service_id = {chosen} AND withdrawn_at IS NULL",
}


def _of_member(field: Field, operator: str, value: Any, at: datetime) -> sql.Composable:
    people = _sql(_MEMBERS[field.path], chosen=int(value))
    return _sql(
        "NOT recipient.id IN ({people})" if operator == "not_in" else "recipient.id IN ({people})", people=people
    )


def _of_behaviour(field: Field, operator: str, value: Any, at: datetime) -> sql.Composable:
    known = behaviour(field.path)
    deliveries = known.recent(at - timedelta(days=value)) if operator.endswith("past_days") else [int(value)]
    people = known.recipients(deliveries)
    negated = operator.startswith("not_")
    return _sql("NOT recipient.id IN ({people})" if negated else "recipient.id IN ({people})", people=people)


_KINDS: Mapping[Kind, Callable[[Field, str, Any, datetime], sql.Composable]] = {
    Kind.TEXT: _of_text,
    Kind.NUMBER: _of_number,
    Kind.DATE: _of_time,
    Kind.DATETIME: _of_time,
    Kind.BOOLEAN: _of_boolean,
    Kind.CHOICE: _of_choice,
    Kind.MEMBER: _of_member,
    Kind.BEHAVIOUR: _of_behaviour,
}
