"""Ask for the analysis of a delivery, and stop it."""

from django.db import transaction

from deliveries.analysis.run import end_statement
from deliveries.models import Delivery
from deliveries.moves import Actor, move, write_act, write_audit
from deliveries.queue import ask_for_analysis
from deliveries.states import DeliveryState, check_state


@transaction.atomic
def analyse(delivery: Delivery, *, by: Actor = None) -> None:
    """Queue the analysis; a worker does it. May be repeated until the delivery is confirmed.

    Raises :class:`deliveries.states.MoveRefused` when the delivery is running, over, or being analysed.
    """
    known = by is not None and by.is_authenticated
    move(delivery, DeliveryState.ANALYSING, analysed_by_id=by.pk if by is not None and known else None)
    write_audit(delivery, "Asked for the analysis.", by=by)
    ask_for_analysis(delivery.pk)


@transaction.atomic
def stop_analysis(delivery: Delivery, *, by: Actor = None) -> None:
    """Give an analysis up; what it has written so far is undone by the database.

    Raises :class:`deliveries.states.MoveRefused` when it is over already.
    """
    check_state(delivery.current_state, DeliveryState.ANALYSING)
    move(delivery, DeliveryState.EDITING, note="The analysis was stopped.")
    write_act(delivery, "The analysis was stopped. Nothing of it is kept.", by=by)
    transaction.on_commit(lambda: end_statement(delivery.pk))
