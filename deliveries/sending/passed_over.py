"""Deliveries that a lane passes over for a moment, because it could do nothing for them: every connection that their
route allows is in use, or nothing of what it looked at may leave yet. It does what others have to do meanwhile."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

BUSY_SECONDS: Final = 1.0
"""How long a delivery is passed over whose route has no connection free."""

LONGEST: Final = 1.0
"""Seconds that a delivery is passed over at most: no longer may it take until an urgent one is looked at again."""

WORTH_WAITING: Final = 2.5
"""Seconds within which something may leave again for a lane to stay for it."""

LONGEST_NAP: Final = 0.5
"""Seconds after which a lane that stays looks whether anything else is to be done."""


@dataclass(slots=True)
class PassedOver:
    """One for each lane. Times are those of the monotonic clock."""

    clock: Callable[[], float] = time.monotonic
    _until: dict[int, float] = field(default_factory=dict)
    _turns: dict[int, float] = field(default_factory=dict)
    _busy_until: float = 0.0

    def route_is_busy(self, delivery_id: int) -> None:
        """There is no connection for this delivery."""
        self._busy_until = self._until[delivery_id] = self.clock() + BUSY_SECONDS

    def must_wait(self, delivery_id: int, seconds: float, *, wholly: bool) -> None:
        """Some messages of a delivery may leave after so many seconds; ``wholly``: none of those in a part may now."""
        at = self.clock()
        self._turns[delivery_id] = at + seconds
        if wholly:
            self._until[delivery_id] = at + min(seconds, LONGEST)

    def deliveries(self) -> list[int]:
        """Those to pass over now."""
        at = self.clock()
        self._until = {delivery_id: until for delivery_id, until in self._until.items() if until > at}
        return list(self._until)

    @property
    def found_no_room(self) -> bool:
        """A delivery is passed over because its route has no connection free."""
        return self.clock() < self._busy_until

    def nap(self) -> float | None:
        """Seconds to wait before the next look for work: until something of a delivery may leave, or until something
        else may have come up. ``None`` when nothing is worth waiting for. Each moment is waited for once."""
        if not self._turns:
            return None
        first = min(self._turns, key=self._turns.__getitem__)
        seconds = max(self._turns[first] - self.clock(), 0.0)
        if seconds > WORTH_WAITING:
            return None
        if seconds > LONGEST_NAP:
            return LONGEST_NAP
        del self._turns[first]
        return seconds
