"""File locks that the kernel frees when their last holder is gone, also after ``kill -9``."""

import fcntl
import os
import time
from pathlib import Path

POLL_SECONDS = 0.05


def open_lock(path: Path) -> int:
    """A descriptor of the lock file. The lock lives as long as any process has this descriptor or a copy of it."""
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def try_exclusive(descriptor: int) -> bool:
    """Take the lock alone if nobody else has it, without waiting."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_exclusive(descriptor: int, *, seconds: float) -> bool:
    """Take the lock alone, waiting up to ``seconds`` for others to leave it."""
    deadline = time.monotonic() + seconds
    while not try_exclusive(descriptor):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def take_exclusive(descriptor: int) -> None:
    """Take the lock alone, waiting while others have it."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)


def take_shared(descriptor: int) -> None:
    """Take the lock together with others, waiting while someone has it alone."""
    fcntl.flock(descriptor, fcntl.LOCK_SH)


def release(descriptor: int) -> None:
    """Leave the lock without closing its descriptor."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def is_held(path: Path) -> bool:
    """Whether some process has the lock alone at this moment."""
    descriptor = open_lock(path)
    try:
        return not try_exclusive(descriptor)
    finally:
        os.close(descriptor)
