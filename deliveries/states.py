"""States of deliveries, parts and messages, and the only moves between them.

This module is the single place where a move is allowed or not. The database enforces the same table with a trigger
(migration ``delivery_state_guard``); a test compares the two. Numbers are the reference product's where it documents
them, so that exports and people from there read the same codes.
"""

from collections.abc import Mapping
from enum import IntEnum


class DeliveryState(IntEnum):
    """Where a delivery stands. The label is what a person reads."""

    EDITING = 0
    ANALYSING = 20
    READY = 45
    ANALYSIS_FAILED = 46
    START_PENDING = 51
    IN_PROGRESS = 55
    PAUSED = 75
    STOPPED = 85
    FINISHED = 95

    @property
    def label(self) -> str:
        """The words of the user interface."""
        return _DELIVERY_LABELS[self]

    @property
    def is_editable(self) -> bool:
        """Content, target and properties may still be changed."""
        return self in EDITABLE


class MessageState(IntEnum):
    """Where one message stands."""

    PENDING = 6
    SENT = 1
    FAILED = 2
    CANCELLED = 7
    IN_DOUBT = 9

    @property
    def label(self) -> str:
        """The words of the user interface."""
        return _MESSAGE_LABELS[self]


class PartState(IntEnum):
    """Whether a part can be taken by a worker."""

    WAITING = -1
    """For the winner of an A/B test: nobody takes it."""
    READY = 0
    CLAIMED = 1
    DONE = 2

    @property
    def label(self) -> str:
        """The words of the user interface."""
        return self.name.capitalize()


_DELIVERY_LABELS: Mapping[DeliveryState, str] = {
    DeliveryState.EDITING: "Being edited",
    DeliveryState.ANALYSING: "Analysis in progress",
    DeliveryState.READY: "Ready to be delivered",
    DeliveryState.ANALYSIS_FAILED: "Analysis failed",
    DeliveryState.START_PENDING: "Start pending",
    DeliveryState.IN_PROGRESS: "In progress",
    DeliveryState.PAUSED: "Paused",
    DeliveryState.STOPPED: "Stopped",
    DeliveryState.FINISHED: "Finished",
}

_MESSAGE_LABELS: Mapping[MessageState, str] = {
    MessageState.PENDING: "Pending",
    MessageState.SENT: "Sent",
    MessageState.FAILED: "Failed",
    MessageState.CANCELLED: "Delivery cancelled",
    MessageState.IN_DOUBT: "In doubt",
}

EDITABLE = frozenset({DeliveryState.EDITING, DeliveryState.READY, DeliveryState.ANALYSIS_FAILED})
"""A change in one of these makes an analysis stale; in every other state content and target are read-only."""

STARTED = frozenset(
    {DeliveryState.IN_PROGRESS, DeliveryState.PAUSED, DeliveryState.STOPPED, DeliveryState.FINISHED},
)
"""Something may have left the house."""

ENDED = (DeliveryState.FINISHED, DeliveryState.STOPPED)
"""Nothing leaves any more, unless a person sends something again."""

DELIVERY_MOVES: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.EDITING: frozenset({DeliveryState.ANALYSING}),
    DeliveryState.ANALYSING: frozenset({DeliveryState.READY, DeliveryState.ANALYSIS_FAILED, DeliveryState.EDITING}),
    DeliveryState.READY: frozenset(
        {DeliveryState.EDITING, DeliveryState.ANALYSING, DeliveryState.START_PENDING, DeliveryState.IN_PROGRESS}
    ),
    DeliveryState.ANALYSIS_FAILED: frozenset({DeliveryState.EDITING, DeliveryState.ANALYSING}),
    DeliveryState.START_PENDING: frozenset({DeliveryState.READY, DeliveryState.IN_PROGRESS}),
    DeliveryState.IN_PROGRESS: frozenset({DeliveryState.PAUSED, DeliveryState.STOPPED, DeliveryState.FINISHED}),
    DeliveryState.PAUSED: frozenset({DeliveryState.IN_PROGRESS, DeliveryState.STOPPED}),
    DeliveryState.STOPPED: frozenset(),
    DeliveryState.FINISHED: frozenset({DeliveryState.IN_PROGRESS}),
}
"""Allowed moves of a delivery. A start that is pending can be cancelled; a finished delivery goes on when failed
messages are retried."""

MESSAGE_MOVES: Mapping[MessageState, frozenset[MessageState]] = {
    MessageState.PENDING: frozenset(
        {MessageState.SENT, MessageState.FAILED, MessageState.IN_DOUBT, MessageState.CANCELLED}
    ),
    MessageState.FAILED: frozenset({MessageState.PENDING}),
    MessageState.IN_DOUBT: frozenset({MessageState.PENDING, MessageState.SENT, MessageState.FAILED}),
    MessageState.SENT: frozenset({MessageState.FAILED}),
    MessageState.CANCELLED: frozenset({MessageState.SENT, MessageState.IN_DOUBT}),
}
"""Allowed moves of a message. *Sent* becomes *failed* when a bounce comes back; *cancelled* becomes what it is when the
person unsubscribed while a worker was handing it over."""


class MoveRefused(Exception):
    """The delivery is not in a state from which the asked move is allowed. ``str()`` is a sentence for people."""


def check_move(now: DeliveryState, to: DeliveryState) -> None:
    """Raise :class:`MoveRefused` unless a delivery may go from ``now`` to ``to``."""
    if to not in DELIVERY_MOVES[now]:
        raise MoveRefused(f"A delivery that is “{now.label}” cannot become “{to.label}”.")


def check_state(now: DeliveryState, *meant: DeliveryState) -> None:
    """Raise :class:`MoveRefused` unless ``now`` is one of the states that an act is meant for. The table of moves knows
    where a delivery may go, not by which act: both a confirmation and *Resume* lead to *In progress*."""
    if now not in meant:
        wanted = " or ".join(f"“{state.label}”" for state in meant)
        raise MoveRefused(f"The delivery is “{now.label}”; this can only be done with one that is {wanted}.")


def sources(to: MessageState) -> tuple[MessageState, ...]:
    """The message states from which ``to`` may be reached."""
    return tuple(state for state, targets in MESSAGE_MOVES.items() if to in targets)
