"""What to tell people when the database cannot be reached."""

import psycopg
from django.db.utils import OperationalError


def sentence(error: OperationalError) -> str | None:
    """One sentence for a failed connection; None when the server did answer, so the error is about something else."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.OperationalError) or cause.sqlstate is not None:
        return None
    # libpq writes a line for each attempt, some with a question on an indented line below; the last attempt counts.
    attempts = [line for line in str(cause).splitlines() if line.strip() and not line[0].isspace()]
    reason = (attempts or ["no reason given"])[-1].removeprefix("connection failed: ").strip().rstrip(".?")
    return f"The database cannot be reached ({reason}). Check that it runs and that DATABASE_URL points to it."
