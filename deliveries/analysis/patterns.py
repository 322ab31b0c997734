"""Which messages of a delivery differ in more than the words of their values: found by the database, in one pass.

A message's pattern says of each of its values whether there is one, what it looks like, and how it compares with what
the content compares it with. Two messages of one pattern go the same way through every condition but the oddest.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from django.db import connection
from psycopg import sql

from campaign.lib.sql import statements
from deliveries.models import message_range
from deliveries.personalization.branches import Constant, compared
from deliveries.rendering.compile import MAIL_FORMAT, Compiled

SQL = statements(Path(__file__).parent / "sql")

MOST_PATTERNS: Final = 5_000
LONG: Final = 60
"""Characters of a value that is long."""


def telling_messages(delivery_id: int, compiled: Compiled, number: int) -> list[int]:
    """Ids of up to ``number`` messages that differ most: first one for each trait that any value has, then one for each
    pattern, the rarest first."""
    seen: set[tuple[int, str]] = set()
    telling: list[int] = []
    others: list[int] = []
    for traits, message_id in _patterns(delivery_id, compiled):
        own = set(enumerate(traits))
        (others if own <= seen else telling).append(message_id)
        seen |= own
    return [*telling, *others][:number]


def _patterns(delivery_id: int, compiled: Compiled) -> list[tuple[list[str], int]]:
    """Each pattern with the first message that has it, the rarest first."""
    first, last = message_range(delivery_id)
    traits = sql.SQL(", ").join(_traits(compiled))
    statement = sql.SQL(SQL["patterns"]).format(
        traits=traits, first=sql.Literal(first), last=sql.Literal(last), most=sql.Literal(MOST_PATTERNS)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(cursor.cursor))
        return [(pattern, message_id) for pattern, message_id, _ in cursor]


def _traits(compiled: Compiled) -> list[sql.Composable]:
    constants = _constants(compiled)
    return [_trait(place, constants.get(path, ())) for place, path in enumerate(compiled.fields)]


def _constants(compiled: Compiled) -> Mapping[str, Sequence[Constant]]:
    found = compared(getattr(compiled, name) for name in _CONDITIONAL)
    return {MAIL_FORMAT: ("text",), **found} if compiled.by_preference else found


_CONDITIONAL: Final = (
    "subject", "html", "text", "smtp_headers", "sender_name", "sender_address", "reply_name", "reply_address",
)  # fmt: skip


def _trait(place: int, constants: Sequence[Constant]) -> sql.Composable:
    text = sql.SQL("(frozen.values ->> {})").format(sql.Literal(place))
    value = sql.SQL("(frozen.values -> {})").format(sql.Literal(place))
    sides = [_compared(text, number, constant) for number, constant in enumerate(constants)]
    return sql.SQL(SQL["trait"]).format(
        text=text,
        value=value,
        long=sql.Literal(LONG),
        compared=sql.SQL(", ").join(sides) if sides else sql.SQL("NULL"),
    )


def _compared(text: sql.Composable, number: int, constant: Constant) -> sql.Composable:
    if isinstance(constant, float):
        return sql.SQL(SQL["compared_with_number"]).format(
            text=text, number=sql.Literal(f"{number}:"), constant=sql.Literal(constant)
        )
    return sql.SQL(SQL["compared_with_text"]).format(
        text=text,
        constant=sql.Literal(constant.strip().lower().replace("\x00", "")),
        equal=sql.Literal(f"{number}="),
        holds=sql.Literal(f"{number}~"),
    )
