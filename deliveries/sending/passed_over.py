"""Deliveries that a lane passes over for a moment, because it could do nothing for them: every connection that their
route allows is in use, or nothing may leave by their route yet. It does what others have to do meanwhile. Where only
domains had to wait, it passes over what somebody has looked at already: the other parts may hold other domains."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

BUSY_SECONDS: Final = 1.0
"""How long a delivery is passed over whose route has no connection free."""

LONGEST: Final = 1.0
"""Seconds that a delivery is passed over at most: no longer may it take until an urgent one is looked at again."""

FRUITLESS: Final = 60.0
"""Seconds in which a lane looks into no further part that nobody had yet, when it found nothing in the last one: who
takes a part gives it its date, and a delivery to one slow domain would get the date of its start."""

WORTH_WAITING: Final = 2.5
"""Seconds within which something may leave again for a lane to stay for it."""

LONGEST_NAP: Final = 0.5
"""Seconds after which a lane that stays looks whether anything else is to be done."""


@dataclass(slots=True)
class PassedOver:
    """One for each lane. Times are those of the monotonic clock."""

    clock: Callable[[], float] = time.monotonic
    _until: dict[int, float] = field(default_factory=dict)
    _looked_at_until: dict[int, float] = field(default_factory=dict)
    _fruitless_until: dict[int, float] = field(default_factory=dict)
    _turns: dict[int, float] = field(default_factory=dict)
    _busy_until: float = 0.0

    def route_is_busy(self, delivery_id: int) -> None:
        """There is no connection for this delivery."""
        self._busy_until = self._until[delivery_id] = self.clock() + BUSY_SECONDS

    def must_wait(self, delivery_id: int, seconds: float, *, wholly: bool, by_route: bool = True) -> None:
        """Some messages of a delivery may leave after so many seconds; ``wholly``: none of those in a part may now,
        ``by_route``: and none of any other part."""
        at = self.clock()
        self._turns[delivery_id] = at + seconds
        if not wholly:
            return
        if delivery_id in self.looked_at():
            self._fruitless_until[delivery_id] = at + FRUITLESS
        self._fruitless_until = self._still(self._fruitless_until)
        passed_over = self._until if by_route or delivery_id in self._fruitless_until else self._looked_at_until
        passed_over[delivery_id] = at + min(seconds, LONGEST)

    def deliveries(self) -> list[int]:
        """Those to pass over now."""
        self._until = self._still(self._until)
        return list(self._until)

    def looked_at(self) -> list[int]:
        """Those of which only parts are worth a look now that nobody had yet."""
        self._looked_at_until = self._still(self._looked_at_until)
        return list(self._looked_at_until)

    def _still(self, until: dict[int, float]) -> dict[int, float]:
        at = self.clock()
        return {delivery_id: end for delivery_id, end in until.items() if end > at}

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
