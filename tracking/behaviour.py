"""Who opened and clicked in earlier deliveries, for saved queries. Machines, archives and trials count for nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from campaign.lib.sql import statements
from deliveries.analysis.behaviour import choices, ranges, recent
from deliveries.states import MessageState
from recipients.queries.catalogue import Behaviour, register_behaviour
from tracking.models import Event, EventKind, Origin, anonymous

SQL = statements(Path(__file__).parent / "sql")

ANY = tuple(EventKind)
"""Who clicked or looked at the mirror page has opened the message as well."""


def register() -> None:
    """Tell the queries what they may ask besides."""
    for name, label, people in (
        ("opened", "Opened", _Did(ANY)),
        ("clicked", "Clicked in", _Did((EventKind.CLICK,))),
        ("not_clicked", "Was sent, and did not click in", _DidNot((EventKind.CLICK,))),
        ("ignored", "Was sent, and neither opened nor clicked in", _DidNot(ANY)),
    ):
        register_behaviour(name, Behaviour(label, people, recent, choices))


@dataclass(frozen=True, slots=True)
class _Did:
    """``SELECT recipient_id`` of those of whom one of these kinds of events was seen."""

    kinds: Sequence[EventKind]

    def __call__(self, delivery_ids: Sequence[int]) -> sql.Composable:
        return sql.SQL(SQL["people_who_did"]).format(
            ranges=ranges("event.message_id", delivery_ids),
            person=sql.Literal(Origin.PERSON.value),
            kinds=_list(self.kinds),
        )


@dataclass(frozen=True, slots=True)
class _DidNot:
    """``SELECT recipient_id`` of those who were sent a message and of whom no such event was seen.

    Where a delivery does not tell people apart, nobody can say who did nothing: it finds nobody.
    """

    kinds: Sequence[EventKind]

    def __call__(self, delivery_ids: Sequence[int]) -> sql.Composable:
        unknown = Event.objects.filter(message_id__in=map(anonymous, delivery_ids)).values_list("message_id", flat=True)
        nameless = set(unknown.distinct())
        told_apart = [delivery_id for delivery_id in delivery_ids if anonymous(delivery_id) not in nameless]
        return sql.SQL(SQL["people_who_did_not"]).format(
            ranges=ranges("message.id", told_apart),
            sent=sql.Literal(MessageState.SENT.value),
            person=sql.Literal(Origin.PERSON.value),
            kinds=_list(self.kinds),
        )


def _list(kinds: Sequence[EventKind]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Literal(kind.value) for kind in kinds)
