"""What happens when content or target of an analysed delivery are changed."""

from deliveries.analysis.fingerprint import is_stale
from deliveries.models import Delivery, Level
from deliveries.moves import Actor, move, write_act
from deliveries.states import DeliveryState

STALE_NOTE = "Content or target changed after the analysis: analyse again before confirming."


def edited(delivery: Delivery, *, by: Actor = None) -> None:
    """Call after saving a delivery: an analysis that no longer fits is set aside, and the journal says so."""
    if delivery.current_state is DeliveryState.READY and is_stale(delivery):
        move(delivery, DeliveryState.EDITING, note=STALE_NOTE, fingerprint="")
        write_act(delivery, STALE_NOTE, level=Level.WARNING, by=by)
