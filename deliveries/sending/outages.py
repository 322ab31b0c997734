"""Which servers this process could not connect to lately, so that not every part waits for them anew."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from deliveries.sending.handshake import RouteAddress

FALLBACK_SECONDS: Final = 60.0
"""So long a route that failed is left to its fallback before it is tried again."""


@dataclass(slots=True)
class Outages:
    """Routes that failed, by where they lead: one that was edited is tried at once. Shared by threads."""

    clock: Callable[[], float] = time.monotonic
    _failed: dict[RouteAddress, tuple[float, str]] = field(default_factory=dict)

    def note(self, address: RouteAddress, sentence: str) -> None:
        """No connection could be opened, and why."""
        self._failed[address] = self.clock() + FALLBACK_SECONDS, sentence

    def why(self, address: RouteAddress) -> str:
        """Why the route is left alone for now; empty when it may be tried."""
        until, sentence = self._failed.get(address, (0.0, ""))
        if sentence and self.clock() >= until:
            self._failed.pop(address, None)
            return ""
        return sentence


this_process = Outages()
