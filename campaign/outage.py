"""What to tell people when the database cannot be reached or has not been prepared."""

import psycopg
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import OperationalError, ProgrammingError

_MISSING = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedFunction)


def sentence(error: OperationalError) -> str | None:
    """One sentence for a failed connection; None when the server did answer, so the error is about something else."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.OperationalError) or cause.sqlstate is not None:
        return None
    # libpq writes a line for each attempt, some with a question on an indented line below; the last attempt counts.
    attempts = [line for line in str(cause).splitlines() if line.strip() and not line[0].isspace()]
    reason = (attempts or ["no reason given"])[-1].removeprefix("connection failed: ").strip().rstrip(".?")
    return f"The database cannot be reached ({reason}). Check that it runs and that DATABASE_URL points to it."


def unprepared(error: ProgrammingError) -> str | None:
    """One sentence where something is missing that a migration makes; None when the error is about something else."""
    if not isinstance(error.__cause__, _MISSING):
        return None
    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return None
    return "The database lacks tables of this version. Make them: ./manage.py migrate"
