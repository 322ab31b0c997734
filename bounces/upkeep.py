"""What time does to failures: the errors of quiet addresses are forgotten, and texts that nobody qualified."""

from datetime import datetime, timedelta
from typing import Final

from bounces import unqualified
from bounces.dialogue import forget_arrived
from recipients import quarantine

KEEP_TEXTS: Final = timedelta(days=180)
"""After so long without a failure a text that waits to be qualified is forgotten, and the failures before."""


def tidy(at: datetime) -> None:
    """Forget the errors of addresses that are quiet or were reached; and old texts."""
    forget_arrived(at)
    quarantine.forget_quiet(at)
    unqualified.forget(at - KEEP_TEXTS)
