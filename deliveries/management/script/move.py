"""``delivery confirm``, ``cancel``, ``pause``, ``resume`` and ``stop``: an analysed delivery on its way."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Final

from django.contrib.auth.models import User

from deliveries.actions import confirm as action
from deliveries.management.script.base import REFUSED, Ended, Options, WrongCall, allowed
from deliveries.models import Delivery
from deliveries.pages.acts import ACTS
from deliveries.pages.summary import name_of
from deliveries.states import DeliveryState

ONE_WORD: Final = {
    "cancel": ("cancel_start", "take a confirmation back before anything has left"),
    "pause": ("pause", "hold a running delivery"),
    "resume": ("resume", "let a paused delivery go on"),
    "stop": ("stop", "end a delivery for good and cancel what was not sent"),
}
"""What takes a delivery and nothing else: the act behind each, and what it does."""


def confirm_arguments(parser: ArgumentParser) -> None:
    """What a confirmation takes."""
    parser.add_argument(
        "--acknowledge",
        action="append",
        default=[],
        metavar="NAME",
        help="name of a warning of the analysis that is known and meant; may be repeated. Without all of them: refused",
    )
    parser.add_argument(
        "--seen",
        default="",
        metavar="UPDATED_AT",
        help="refuse when the delivery was changed after the status that says this updated_at",
    )


def confirm(options: Options, by: User | None) -> Delivery:
    """The delivery, confirmed. Raises Ended for warnings that are not acknowledged, WrongCall, ActionRefused,
    MoveRefused."""
    delivery = allowed(options, by, "confirm")
    known = set(options["acknowledge"])
    warnings = action.warnings_of(delivery)
    unread = sorted({name_of(line.check_key) for line in warnings} - known)
    if unread and delivery.current_state is DeliveryState.READY:
        flags = " ".join(f"--acknowledge {name}" for name in unread)
        raise Ended(f"Not confirmed: the analysis warns. Read “warnings”; to go on, add: {flags}", REFUSED, delivery)
    action.confirm(delivery, acknowledged=[line.pk for line in warnings], seen=_seen(options["seen"]), by=by)
    return delivery


def _seen(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongCall("--seen takes the updated_at of a status.") from error
    if at.tzinfo is None:
        raise WrongCall("--seen takes the updated_at of a status, with its time zone.")
    return at


def one_word(options: Options, by: User | None) -> Delivery:
    """The delivery after an act of :data:`ONE_WORD`. Raises WrongCall, ActionRefused, MoveRefused."""
    name, _ = ONE_WORD[options["act"]]
    delivery = allowed(options, by, name)
    ACTS[name].action(delivery, by=by)
    return delivery
