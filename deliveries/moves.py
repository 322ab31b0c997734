"""The one function that moves a delivery from state to state, and the journal and audit trail that say so."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils import timezone

from deliveries.models import AuditLine, Delivery, JournalLine, Level
from deliveries.states import DeliveryState, MoveRefused, check_move

Actor = AbstractBaseUser | AnonymousUser | None
"""Who did it; ``None`` is the system itself."""


def move(delivery: Delivery, to: DeliveryState, *, note: str = "", **fields: Any) -> None:
    """Move a delivery to ``to`` and set ``fields`` with it, in one conditional update.

    Raises :class:`MoveRefused` when the move is not allowed, or when somebody else moved the delivery first.
    """
    now = delivery.current_state
    check_move(now, to)
    values = {"state": to, "state_note": note[:500], "updated_at": timezone.now(), **fields}
    if not Delivery.objects.filter(pk=delivery.pk, state=now).update(**values):
        raise MoveRefused("Somebody else has just changed this delivery. Reload the page and look again.")
    for name, value in values.items():
        setattr(delivery, name, value)


def write_journal(
    delivery_id: int, sentence: str, *, level: Level = Level.INFO, by: Actor = None, check_key: str = ""
) -> None:
    """Add a line to the delivery's journal; ``check_key`` names the check of the analysis that says so."""
    user_id = by.pk if by is not None and by.is_authenticated else None
    JournalLine.objects.create(
        delivery_id=delivery_id,
        at=timezone.now(),
        level=level,
        sentence=sentence,
        user_id=user_id,
        check_key=check_key,
    )


def write_act(delivery: Delivery, sentence: str, *, level: Level = Level.INFO, by: Actor = None) -> None:
    """Write an act of a person to the journal, which the next analysis begins anew, and to the audit trail, which
    stays."""
    write_journal(delivery.pk, sentence, level=level, by=by)
    write_audit(delivery, sentence, by=by)


def write_audit(delivery: Delivery, sentence: str, *, by: Actor = None) -> None:
    """Write an act to the audit trail alone."""
    known = by is not None and by.is_authenticated
    AuditLine.objects.create(
        at=timezone.now(),
        delivery_id=delivery.pk,
        delivery_label=delivery.label,
        user_id=by.pk if by is not None and known else None,
        user_name=by.get_username() if by is not None and known else "",
        sentence=sentence,
    )
