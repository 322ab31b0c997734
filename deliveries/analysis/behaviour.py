"""What people did in earlier deliveries, for saved queries."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from psycopg import sql

from deliveries.models import Delivery, message_range
from deliveries.states import STARTED, MessageState
from recipients.queries.catalogue import Behaviour, Choices, register_behaviour

BEHAVIOURS = {
    "sent": ("Was sent", (MessageState.SENT,)),
    "failed": ("Did not get, it failed", (MessageState.FAILED,)),
    "in_doubt": ("May have got (in doubt)", (MessageState.IN_DOUBT,)),
    "targeted": ("Was in the target of", tuple(MessageState)),
}
"""Name in a definition, words, and the states of a message that mean it."""


def register() -> None:
    """Tell the queries what they may ask."""
    for name, (label, states) in BEHAVIOURS.items():
        register_behaviour(name, Behaviour(label, _People(states), recent, choices))


class _People:
    """``SELECT recipient_id`` of those with a message in one of some states: one range of the log a delivery."""

    def __init__(self, states: Sequence[MessageState]) -> None:
        self.states = states

    def __call__(self, delivery_ids: Sequence[int]) -> sql.Composable:
        return sql.SQL(
            "SELECT message.recipient_id FROM deliveries_message message "
            "WHERE ({ranges}) AND message.state IN ({states}) AND message.recipient_id IS NOT NULL"
        ).format(
            ranges=ranges("message.id", delivery_ids),
            states=sql.SQL(", ").join(sql.Literal(state.value) for state in self.states),
        )


def ranges(column: LiteralString, delivery_ids: Sequence[int]) -> sql.Composable:
    """The condition that a message id in ``column`` belongs to one of these deliveries."""
    each = [
        sql.SQL("{} BETWEEN {} AND {}").format(sql.SQL(column), *map(sql.Literal, message_range(delivery_id)))
        for delivery_id in delivery_ids
    ]
    return sql.SQL(" OR ").join(each) if each else sql.SQL("false")


def recent(since: datetime) -> list[int]:
    """The deliveries that began since then."""
    return list(Delivery.objects.filter(started_at__gte=since).order_by("pk").values_list("pk", flat=True))


def choices() -> Choices:
    """The deliveries that may be asked about, the newest first."""
    started = Delivery.objects.filter(state__in=STARTED, proof_of=None).order_by("-pk")
    return [(str(pk), label) for pk, label in started.values_list("pk", "label")]
