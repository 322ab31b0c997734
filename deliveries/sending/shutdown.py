"""Whether this process's family is asked to end.

Celery's main process hears SIGTERM and lets its children finish their tasks; a child must know of it to give its parts
back between two messages. One octet of shared memory says so: it needs no lock that a killed process could keep.
"""

import mmap

from celery.signals import worker_shutting_down

_octet = mmap.mmap(-1, 1)


def ask(**_: object) -> None:
    """Let every worker of this family stop after the message on the wire."""
    _octet[0] = 1


def asked() -> bool:
    """Somebody asked."""
    return _octet[0] == 1


def forget() -> None:
    """Work again; for a process that outlives a shutdown, as tests do."""
    _octet[0] = 0


worker_shutting_down.connect(ask)
