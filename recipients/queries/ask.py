"""Ask the database: how many does a query find, and is somebody among them."""

from typing import Any

from django.db import connection
from psycopg import sql

from campaign.lib.patience import TookTooLong, at_most
from recipients.queries.compile import compiled
from recipients.queries.definition import QueryProblem

MOST_SECONDS = 20
"""A count that takes longer is given up; an analysis takes the time it needs."""


def recipients_of(definition: Any) -> sql.Composable:
    """``SELECT`` of the recipients' ids. Raises :class:`recipients.queries.definition.QueryProblem`."""
    condition = compiled(definition)
    return sql.SQL("SELECT recipient.id FROM recipients_recipient recipient WHERE {}").format(condition)


def count(definition: Any) -> int:
    """How many people a query finds now. Raises :class:`recipients.queries.definition.QueryProblem`, also when it
    takes too long."""
    statement = sql.SQL("SELECT count(*) FROM ({}) found").format(recipients_of(definition))
    try:
        with at_most(MOST_SECONDS), connection.cursor() as cursor:
            cursor.execute(statement.as_string(cursor.cursor))
            return int(cursor.fetchone()[0])
    except TookTooLong as error:
        raise QueryProblem(f"Counting took longer than {MOST_SECONDS} seconds and was given up.") from error


def finds(definition: Any, recipient_id: int) -> bool:
    """Whether a query finds this recipient. Raises :class:`recipients.queries.definition.QueryProblem`."""
    statement = sql.SQL("SELECT EXISTS ({people} AND recipient.id = {person})").format(
        people=recipients_of(definition), person=sql.Literal(recipient_id)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(cursor.cursor))
        return bool(cursor.fetchone()[0])
