"""The messages of a part in the order in which rates let them leave."""

import time
from collections.abc import Iterable, Iterator

from deliveries.rendering.merge import MessageRow
from deliveries.sending.throttle import FREE, Throttle

AT_ONCE = 0.002
"""Seconds that are waited between two messages; for a longer wait the connection is left with nothing under way."""

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
        self._held_until = 0.0
        self._closed_until: dict[str, float] = {}
        self.ask_again_in: float | None = None
        """Seconds after which what was passed over is worth another look; ``None`` when nothing was."""

    @property
    def wait(self) -> float:
        """Seconds until the turn of the row at which :meth:`ready` ended; 0 when there is none."""
        return max(self._held_until - time.monotonic(), AT_ONCE) if self._held is not None else 0.0

    def ready(self) -> Iterator[list[Entry]]:
        """Rows that may leave now: some at a time where no rate holds them back, else each by itself, at its turn. Ends
        at one that must :attr:`wait` first (then ask again), or at the end."""
        if self._held is not None:
            held, self._held = self._held, None
            yield [held]
        free: list[Entry] = []
        for entry in self._rows:
            domain = entry[1].address.rpartition("@")[2].lower()
            if self._is_closed(domain):
                continue
            turn = self._throttle.turn(self._route_id, self._route_rate, domain)
            if turn is FREE:
                free.append(entry)
                if len(free) == TOGETHER:
                    yield free
                    free = []
                continue
            if turn.granted and turn.wait > AT_ONCE:
                self._held, self._held_until = entry, time.monotonic() + turn.wait
                break
            if turn.granted:
                if turn.wait > 0:
                    time.sleep(turn.wait)
                yield [entry]
                continue
            self._closed_until[domain] = time.monotonic() + turn.wait
            self.ask_again_in = min(turn.wait, self.ask_again_in or turn.wait)
            if turn.by_route:
                break
        if free:
            yield free

    def _is_closed(self, domain: str) -> bool:
        return bool(self._closed_until) and self._closed_until.get(domain, 0.0) > time.monotonic()
