"""What to tell people when the database cannot be reached."""

import psycopg
from django.db.utils import OperationalError


def sentence(error: OperationalError) -> str | None:
    """One sentence for a failed connection; None when the server did answer, so the error is about something else."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.OperationalError) or cause.sqlstate is not None:
        return None
    # libpq repeats each attempt on its own line; the last one says what went wrong.
    reason = (str(cause).strip().splitlines() or ["no reason given"])[-1].strip().rstrip(".?")
    return f"The database cannot be reached ({reason}). Check that it runs and that DATABASE_URL points to it."
