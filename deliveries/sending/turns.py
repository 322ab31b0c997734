"""The messages of a part in the order in which rates let them leave."""

import time
from collections.abc import Iterable, Iterator

from deliveries.rendering.merge import MessageRow
from deliveries.sending.smtp.steps import Leaving
from deliveries.sending.throttle import FREE, Throttle, Turn

TOGETHER = 8
"""Rows that are handed out at once where no rate holds them back; more of them are no faster."""

Entry = tuple[int, MessageRow]


class Turns:
    """Goes through rows (content id and row) once. What may not leave soon is passed over and stays pending."""

    def __init__(self, rows: Iterable[Entry], throttle: Throttle, route_id: int, route_rate: float) -> None:
        self._rows = iter(rows)
        self._throttle = throttle
        self._route_id = route_id
        self._route_rate = route_rate
        self._held: Entry | None = None
        self._alone: Entry | None = None
        self._taken = FREE
        self._told = False
        self._closed_until: dict[str, float] = {}
        self.over = False
        """Nothing of what is left may leave soon, or nothing is left."""
        self.by_route = False
        """It is the route's rate that holds back what is left, whatever domain it goes to."""
        self.ask_again_in: float | None = None
        """Seconds after which what was passed over is worth another look; ``None`` when nothing was."""

    def ready(self, first: Leaving = Leaving.MAIL) -> Iterator[list[Entry]]:
        """Rows that may leave now: some at a time where no rate holds them back. One whose turn a rate decides ends
        this and comes alone, the next time, when all before it are through: a turn is taken when nothing else is to be
        done.

        ``first`` is what of such a message leaves first.
        """
        free: list[Entry] = []
        nothing_yet = True
        while not self.over and (entry := self._next()) is not None:
            domain = _domain(entry)
            if self._is_closed(domain):
                continue
            if (free or not nothing_yet) and self._throttle.limits(self._route_rate, domain):
                self._held = entry
                break
            turn = self._throttle.turn(self._route_id, self._route_rate, domain, first)
            if turn is FREE:
                free.append(entry)
                if len(free) == TOGETHER:
                    nothing_yet = False
                    yield free
                    free = []
            elif turn.granted:
                self._alone, self._taken, self._told = entry, turn, False
                yield [entry]
                return
            else:
                self._pass_over(domain, turn)
        if free:
            yield free

    def of(self, message_id: int, leaving: Leaving) -> Turn:
        """The turn at which this of a message that :meth:`ready` gave may leave: the one that was taken for it. Whoever
        asks again has missed it, and has it moved or gets another one."""
        if self._alone is None or self._alone[1].id != message_id:
            return FREE
        if self._taken.leaving is leaving and self._taken.granted:
            if not self._told:
                self._told = True
                return self._taken
            if (moved := self._throttle.moved(self._taken)) is not None:
                self._taken = moved
                return moved
        domain = _domain(self._alone)
        self._taken, self._told = self._throttle.turn(self._route_id, self._route_rate, domain, leaving), True
        if not self._taken.granted and leaving is not Leaving.CONTENT:
            self._pass_over(domain, self._taken)
        return self._taken

    def _next(self) -> Entry | None:
        if self._held is not None:
            held, self._held = self._held, None
            return held
        entry = next(self._rows, None)
        self.over = self.over or entry is None
        return entry

    def _pass_over(self, domain: str, turn: Turn) -> None:
        self._closed_until[domain] = time.monotonic() + turn.wait
        self.ask_again_in = min(turn.wait, self.ask_again_in or turn.wait)
        self.by_route = self.by_route or turn.by_route
        self.over = self.over or turn.by_route

    def _is_closed(self, domain: str) -> bool:
        return bool(self._closed_until) and self._closed_until.get(domain, 0.0) > time.monotonic()


def _domain(entry: Entry) -> str:
    return entry[1].address.rpartition("@")[2].lower()
