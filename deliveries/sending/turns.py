"""The messages of a part in the order in which rates let them leave."""

import time
from collections.abc import Iterable, Iterator

from deliveries.rendering.merge import MessageRow
from deliveries.sending.throttle import Throttle

AT_ONCE = 0.002
"""Seconds that are waited between two messages; for a longer wait the connection is left with nothing under way."""

Entry = tuple[int, MessageRow]


class Turns:
    """Goes through rows (content id and row) once. What may not leave soon is passed over and stays pending."""

    def __init__(self, rows: Iterable[Entry], throttle: Throttle, route_id: int, route_rate: float) -> None:
        self._rows = iter(rows)
        self._throttle = throttle
        self._route_id = route_id
        self._route_rate = route_rate
        self._held: Entry | None = None
        self._closed_until: dict[str, float] = {}
        self.wait = 0.0
        self.ask_again_in: float | None = None
        """Seconds after which what was passed over is worth another look; ``None`` when nothing was."""

    def ready(self) -> Iterator[Entry]:
        """Rows that may leave now. Ends at one that must wait ``wait`` seconds first (then ask again), or, with a
        ``wait`` of 0, at the end."""
        self.wait = 0.0
        if self._held is not None:
            held, self._held = self._held, None
            yield held
        for entry in self._rows:
            domain = entry[1].address.rpartition("@")[2].lower()
            if self._is_closed(domain):
                continue
            turn = self._throttle.turn(self._route_id, self._route_rate, domain)
            if turn.granted and turn.wait > AT_ONCE:
                self._held, self.wait = entry, turn.wait
                return
            if turn.granted:
                if turn.wait > 0:
                    time.sleep(turn.wait)
                yield entry
                continue
            self._closed_until[domain] = time.monotonic() + turn.wait
            self.ask_again_in = min(turn.wait, self.ask_again_in or turn.wait)
            if turn.by_route:
                return

    def _is_closed(self, domain: str) -> bool:
        return bool(self._closed_until) and self._closed_until.get(domain, 0.0) > time.monotonic()
