"""The one worker of this operating-system process."""

import atexit
import os

from deliveries.sending.worker import Worker

_workers: dict[int, Worker] = {}


def process_worker() -> Worker:
    """This process's worker, made at first use (after Celery's fork, so that no two processes share a journal)."""
    pid = os.getpid()
    if pid not in _workers:
        _workers.clear()
        _workers[pid] = Worker()
        atexit.register(_workers[pid].close)
    return _workers[pid]
