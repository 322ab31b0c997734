"""What one message may use while it is personalized. Counted, so that the same message always ends the same way."""

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Self

from deliveries.personalization.errors import RenderLimit

MAX_ITERATIONS = 10_000
MAX_CHARACTERS = 2_000_000
MAX_WORK = 20_000_000
"""Characters that filters and joined texts may go through, besides what is written out."""
MAX_SECONDS = 5.0
"""The clock is the last resort: the counts above end a message well before it on any ordinary machine."""


class Budget:
    """What one rendering may use. ``clock`` gives seconds and is handed in, so that this package knows no time.

    In a ``with`` block it is what everything rendered there counts against; threads do not see each other's.
    """

    __slots__ = ("_before", "characters", "clock", "deadline", "iterations", "work")

    _before: "Token[Budget | None]"

    def __init__(self, clock: Callable[[], float] | None, seconds: float = MAX_SECONDS) -> None:
        self.iterations = MAX_ITERATIONS
        self.characters = MAX_CHARACTERS
        self.work = MAX_WORK
        self.clock = clock
        self.deadline = clock() + seconds if clock else 0.0

    def __enter__(self) -> Self:
        self._before = _present.set(self)
        return self

    def __exit__(self, *exception: object) -> None:
        _present.reset(self._before)

    def check_time(self) -> None:
        """Raise :class:`RenderLimit` when the time is over."""
        if self.clock is not None and self.clock() > self.deadline:
            raise RenderLimit("Personalizing this message takes too long. Use fewer or shorter loops.")

    def iterate(self, expressions: int) -> None:
        """Count one turn of a loop with so many expressions in it."""
        self.work -= expressions * 5
        self.iterations -= 1
        if self.iterations < 0:
            raise RenderLimit(f"The loops of this message run more than {MAX_ITERATIONS:,} times.")
        self.spend(0)

    def write(self, characters: int) -> None:
        """Count what is written out."""
        self.characters -= characters
        if self.characters < 0:
            raise RenderLimit(f"This message is longer than {MAX_CHARACTERS:,} characters.")

    def spend(self, characters: int) -> None:
        """Count what a filter or an expression goes through; every call counts some by itself."""
        self.work -= characters + 50
        if self.work < 0:
            raise RenderLimit("Personalizing this message takes too much work. Use fewer filters and shorter texts.")
        self.check_time()


_present: ContextVar[Budget | None] = ContextVar("budget", default=None)


def present() -> Budget:
    """The budget of the rendering under way; while a content is compiled, a fresh one."""
    return _present.get() or Budget(None)
