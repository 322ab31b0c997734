"""What a function gave lately, kept while it is few and small."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class LastUsed(Generic[T]):
    """A function of a number that gives again what it gave.

    Kept are the ``most`` used last, as far as they have ``most_octets`` together; the very last one always. Threads may
    share it: two that ask for the same at the same moment may both make it.
    """

    def __init__(self, make: Callable[[int], T], most: int, most_octets: int, octets: Callable[[T], int]) -> None:
        self._make = make
        self._most = most
        self._most_octets = most_octets
        self._octets = octets
        self._lock = Lock()
        self._kept: OrderedDict[int, T] = OrderedDict()
        self._weight = 0

    def __call__(self, key: int) -> T:
        """What there is for ``key``, or made now. Raises what making it raises."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = self._make(key)
        with self._lock:
            self._keep(key, made)
        return made

    def _keep(self, key: int, made: T) -> None:
        if key in self._kept:
            return
        self._kept[key] = made
        self._weight += self._octets(made)
        while len(self._kept) > 1 and (len(self._kept) > self._most or self._weight > self._most_octets):
            _, oldest = self._kept.popitem(last=False)
            self._weight -= self._octets(oldest)

    def cache_clear(self) -> None:
        """Keep nothing (the name that :func:`functools.lru_cache` has for it)."""
        with self._lock:
            self._kept.clear()
            self._weight = 0


def last_used(
    *, most: int, most_octets: int, octets: Callable[[T], int]
) -> Callable[[Callable[[int], T]], LastUsed[T]]:
    """The function, with what it gave lately kept; ``octets`` says how much memory one takes."""
    return lambda make: LastUsed(make, most, most_octets, octets)
