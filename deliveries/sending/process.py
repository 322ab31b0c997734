"""The sending side of this operating-system process: lanes, each a worker with connections of its own.

One lane saturates a core when the server answers at once. Where answers take their time (a distant relay, a slow one),
a lane mostly waits; then more lanes run side by side in threads, until the process has enough to do or the route's
connections are used up.
"""

import gc
import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from celery.signals import worker_process_shutdown
from django.conf import settings
from django.db import DatabaseError, connections

from campaign.lib.clock import now
from deliveries.sending import parts, shutdown
from deliveries.sending.recovery import recover_dead_holders, settle_overdue_parts
from deliveries.sending.worker import Worker

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5
RENEW_SECONDS: Final = 15.0
"""Leases are renewed by a thread of their own, so that a slow server cannot make a living worker look dead."""

MOSTLY_WAITING: Final = 0.7
"""Share of their time that lanes wait for the server, above which more lanes pay."""

SELDOM_WAITING: Final = 0.3
"""Share below which fewer lanes do as well."""


class Process:
    """The lanes of one process; the first runs in the calling thread."""

    def __init__(self, make: Callable[[], Worker] = Worker) -> None:
        self._make = make
        self._lanes = [make()]
        self._threads: dict[int, threading.Thread] = {}
        self._wanted = 1
        self._most = settings.LANES_PER_PROCESS

    def work(self, until: datetime) -> bool:
        """Send part after part until ``until``; returns whether there may be more to do."""
        first = self._lanes[0]
        self._most = settings.LANES_PER_PROCESS
        recover_dead_holders(first.journals)
        settle_overdue_parts(first.journals)
        over = threading.Event()
        supervisor = threading.Thread(target=self._supervise, args=(until, over), name="supervisor", daemon=True)
        supervisor.start()
        try:
            return first.work(until)
        finally:
            over.set()
            supervisor.join()
            for thread in self._threads.values():
                thread.join()
            self._threads.clear()

    def close(self) -> None:
        """End every lane in order."""
        for lane in self._lanes:
            lane.close()

    def _supervise(self, until: datetime, over: threading.Event) -> None:
        """Renew leases and start lanes while the process works."""
        waited, looked = self._waited(), time.monotonic()
        renewed = looked
        try:
            self._start_lanes(until)
            while not over.wait(LOOK_SECONDS):
                at = time.monotonic()
                share = (self._waited() - waited) / ((at - looked) * self._running())
                waited, looked = self._waited(), at
                if refused := self._refused():
                    self._most = max(self._wanted - refused, 1)  # the route allows no more; the next slice asks anew
                self._wanted = min(lanes_for(share, self._wanted, self._most), self._most)
                if at - renewed >= RENEW_SECONDS:
                    parts.renew_all([lane.holder for lane in self._lanes], now())
                    renewed = at
                self._start_lanes(until)
        except DatabaseError as error:
            logger.warning("The database does not answer (%s); leases are not renewed and no lane is added.", error)
        finally:
            connections.close_all()

    def _start_lanes(self, until: datetime) -> None:
        """Start what is wanted and not running, while there is work for it."""
        for number in range(1, self._wanted):
            if number in self._threads and self._threads[number].is_alive():
                continue
            if shutdown.asked() or now() >= until or not parts.work_is_open(now()):
                return
            if number == len(self._lanes):
                self._lanes.append(self._make())
            thread = threading.Thread(
                target=_run, args=(self._lanes[number], until), name=f"lane {number}", daemon=True
            )
            self._threads[number] = thread
            thread.start()

    def _refused(self) -> int:
        """How many lanes found no room on their route since somebody asked."""
        refused = [lane for lane in self._lanes if lane.found_no_room]
        for lane in refused:
            lane.found_no_room = False
        return len(refused)

    def _running(self) -> int:
        return 1 + sum(thread.is_alive() for thread in self._threads.values())

    def _waited(self) -> float:
        return sum(lane.waited for lane in self._lanes)


def lanes_for(waiting: float, lanes: int, most: int) -> int:
    """How many lanes pay when ``lanes`` of them wait for the server the share ``waiting`` (0 to 1) of their time."""
    if waiting > MOSTLY_WAITING:
        return min(lanes * 2, most)
    if waiting < SELDOM_WAITING:
        return max(lanes // 2, 1)
    return lanes


def _run(lane: Worker, until: datetime) -> None:
    """A lane's thread. What goes wrong is recovered by the lane itself; it must not end the others."""
    try:
        lane.work(until)
    except Exception:
        logger.exception("A lane ended early; its part goes on elsewhere.")
    finally:
        connections.close_all()


_processes: dict[int, Process] = {}


def this_process() -> Process:
    """The lanes of this process, made at first use (after Celery's fork, so that no two processes share a journal)."""
    pid = os.getpid()
    if pid not in _processes:
        _processes.clear()
        _processes[pid] = Process()
        # What is loaded by now stays as long as the process: the garbage collector need not go through it again.
        gc.collect()
        gc.freeze()
    return _processes[pid]


def _close(**_: object) -> None:
    """Take leave of the servers when Celery ends this process in order."""
    if process := _processes.pop(os.getpid(), None):
        process.close()


worker_process_shutdown.connect(_close)
