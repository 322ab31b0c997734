"""Whether this process's family is asked to end.

Celery's main process hears SIGTERM and lets its children finish their tasks; a child must know of it to give its parts
back between two messages. One octet of shared memory says so: it needs no lock that a killed process could keep.
"""

import mmap
import time
from typing import Final

from celery.signals import worker_shutting_down

from campaign.lib.waiting import Interrupted

PATIENCE: Final = 6.0
"""Seconds that a process which is asked to end still waits for the answers of servers. With the rest of what it has to
do it ends within the 10 s after which supervisors kill."""

LOOK: Final = 0.5
"""Seconds after which somebody who waits for a server looks whether to end."""

_octet = mmap.mmap(-1, 1)
_heard_at: float | None = None


class NoMorePatience(Interrupted):
    """This process is asked to end and has waited long enough for a server."""

    def __init__(self) -> None:
        super().__init__("the worker had to end before the server answered")


def ask(**_: object) -> None:
    """Let every worker of this family stop after the message on the wire."""
    _octet[0] = 1


def asked() -> bool:
    """Somebody asked."""
    return _octet[0] == 1


def patience() -> float:
    """Seconds that may still be waited before somebody looks again. Raises NoMorePatience."""
    global _heard_at
    if not asked():
        return LOOK
    if _heard_at is None:
        _heard_at = time.monotonic()
    left = _heard_at + PATIENCE - time.monotonic()
    if left <= 0:
        raise NoMorePatience
    return min(left, LOOK)


def forget() -> None:
    """Work again; for a process that outlives a shutdown, as tests do."""
    global _heard_at
    _octet[0] = 0
    _heard_at = None


worker_shutting_down.connect(ask)
