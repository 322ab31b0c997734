"""Send a delivery back to those who prepare it, instead of starting it."""

from django.db import transaction

from deliveries.actions.base import ActionRefused
from deliveries.models import Delivery, Level
from deliveries.moves import Actor, move, write_act
from deliveries.states import DeliveryState, check_state

MAX_COMMENT = 400


@transaction.atomic
def send_back(delivery: Delivery, *, comment: str = "", by: Actor = None) -> None:
    """Let a delivery that is ready be edited again; ``comment`` says what to change.

    Raises :class:`ActionRefused` without a comment, :class:`deliveries.states.MoveRefused` in another state.
    """
    comment = " ".join(comment.split())
    if not comment:
        raise ActionRefused("Say what is to be changed, so that it can be.")
    sentence = f"Sent back for changes: {comment[:MAX_COMMENT]}"
    check_state(delivery.current_state, DeliveryState.READY)
    move(delivery, DeliveryState.EDITING, note=sentence, fingerprint="")
    write_act(delivery, sentence, level=Level.WARNING, by=by)
