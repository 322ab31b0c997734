"""Send again what failed."""

from deliveries.actions.again import send_again
from deliveries.actions.base import ActionRefused
from deliveries.models import Delivery
from deliveries.moves import Actor
from deliveries.states import MessageState


def retry_failed(delivery: Delivery, *, by: Actor = None) -> int:
    """Make the failed messages of a running or finished delivery pending again; returns how many.

    Raises :class:`ActionRefused` when nothing has failed, :class:`deliveries.states.MoveRefused` in another state.
    """
    count = send_again(delivery, MessageState.FAILED, "Retrying {count} failed messages.", by=by)
    if not count:
        raise ActionRefused("No message of this delivery has failed: there is nothing to retry.")
    return count
