"""The one worker of this operating-system process."""

import os

from celery.signals import worker_process_shutdown

from deliveries.sending.worker import Worker

_workers: dict[int, Worker] = {}


def process_worker() -> Worker:
    """This process's worker, made at first use (after Celery's fork, so that no two processes share a journal)."""
    pid = os.getpid()
    if pid not in _workers:
        _workers.clear()
        _workers[pid] = Worker()
    return _workers[pid]


def _close_worker(**_: object) -> None:
    """Say good-bye to the servers when Celery ends this process in order."""
    if worker := _workers.pop(os.getpid(), None):
        worker.close()


worker_process_shutdown.connect(_close_worker)
