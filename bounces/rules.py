"""The rules in force: kept in the database, ready to use in every process, never older than a few seconds."""

import logging
import threading
import time
from typing import Any, Final

from django.db import DatabaseError, transaction
from django.db.models import Count, Max

from bounces.models import BounceRule
from bounces.models.rule import shipped_rules
from bounces.qualification import DEFAULTS, RuleError, Rules
from bounces.qualification.replies import by_rules
from deliveries.sending.smtp.replies import Reply
from deliveries.sending.verdict import Verdict

logger = logging.getLogger(__name__)

LOOK_EVERY: Final = 5.0
"""Seconds after which a process asks whether the rules have changed."""


class _InForce:
    """The rules of this process. Several threads share it; one looks, the others go on with what there is."""

    def __init__(self) -> None:
        self.rules = DEFAULTS
        self._stamp: tuple[Any, ...] | None = None
        self._look_at = 0.0
        self._lock = threading.Lock()

    def get(self) -> Rules:
        """The rules; asks the database at most every :data:`LOOK_EVERY` seconds."""
        if time.monotonic() >= self._look_at and self._lock.acquire(blocking=self._stamp is None):
            try:
                self._look()
            finally:
                self._lock.release()
        return self.rules

    def forget(self) -> None:
        """Look again with the next question."""
        self._look_at = 0.0

    def _look(self) -> None:
        self._look_at = time.monotonic() + LOOK_EVERY
        try:
            stamp = tuple(BounceRule.objects.aggregate(Max("updated_at"), Count("pk")).values())
            if stamp != self._stamp:
                self.rules, self._stamp = loaded(), stamp
        except (DatabaseError, RuleError):
            logger.warning("The bounce rules cannot be read; those known before stay in force.", exc_info=True)


_in_force = _InForce()


def current() -> Rules:
    """The active rules in their order; those that come with the project while there is no table of them."""
    return _in_force.get()


def forget() -> None:
    """Let this process read the rules anew; others do within :data:`LOOK_EVERY` seconds."""
    _in_force.forget()


def by_current_rules(reply: Reply) -> Verdict:
    """The verdict on a refusal in the dialogue. Raises ValueError for a reply that accepted the message."""
    return by_rules(reply, current())


def loaded() -> Rules:
    """The rules as they are in the database now. Raises :class:`RuleError`."""
    rows = list(BounceRule.objects.all())
    if not rows:
        return DEFAULTS
    return Rules([row.as_rule() for row in rows if row.is_active], DEFAULTS.version)


@transaction.atomic
def load_defaults(**_: Any) -> None:
    """Bring the rules that come with this version into the database, after each migration.

    A rule that nobody changed becomes the new version; one that somebody changed stays, and its page offers the new
    version. What a new version no longer has goes, unless somebody changed it.
    """
    newest = shipped_rules()
    known = {row.name: row for row in BounceRule.objects.select_for_update()}
    for name, said in newest.items():
        row = known.get(name)
        if row is None:
            BounceRule.objects.create(name=name, shipped=said, **said)
        elif row.is_default and not row.is_edited and row.shipped != said:
            reset(row)
    for row in known.values():
        if row.is_default and not row.is_edited and row.name not in newest:
            row.delete()


def reset(row: BounceRule) -> None:
    """Let the rule say what this version of the project has for it."""
    newest = shipped_rules()[row.name]
    for name, value in newest.items():
        setattr(row, name, value)
    row.shipped = newest
    row.save()
