"""A running process starts the keeper again when it is gone, so that its connections work again by themselves."""

import logging
import os
import threading
import time
from pathlib import Path

from campaign.services.client import ensure
from campaign.services.layout import Layout, ServiceProblem
from campaign.services.locks import open_lock, release, take_shared

RETRY_SECONDS = 10.0

logger = logging.getLogger(__name__)


class Watcher:
    """A thread that sleeps in the kernel until the keeper is gone, then calls :func:`ensure`.

    It ends with its process without holding it up, and stops watching when somebody has removed the services' folder.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._descriptor: int | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="services-watcher", daemon=True).start()

    def start_in_child(self) -> None:
        """The same in a forked process, which has the parent's descriptor but not its thread."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
        self.start()

    def _run(self) -> None:
        while self._layout.folder.exists():
            try:
                self._wait_until_the_keeper_is_gone()
                if self._layout.folder.exists():
                    ensure(self._layout.var_dir)
            except (ServiceProblem, OSError) as problem:
                logger.error("%s Trying again in %d seconds.", problem, RETRY_SECONDS)
                time.sleep(RETRY_SECONDS)

    def _wait_until_the_keeper_is_gone(self) -> None:
        descriptor = self._descriptor = open_lock(self._layout.watch_lock)
        take_shared(descriptor)
        # Left explicitly: a copy that a fork made meanwhile would keep it. Forgotten before it is closed: a fork
        # between the two must not close a number that means another file by then.
        release(descriptor)
        self._descriptor = None
        os.close(descriptor)


_watchers: dict[Path, Watcher] = {}


def keep_up(var_dir: Path) -> None:
    """From now on start the services of ``var_dir`` again, at the same addresses, whenever their keeper is gone.

    For a process that has called :func:`ensure`; its forks do the same.
    """
    layout = Layout(var_dir.resolve())
    if layout.var_dir not in _watchers:
        _watchers[layout.var_dir] = Watcher(layout)
        _watchers[layout.var_dir].start()


def _keep_up_in_child() -> None:
    for watcher in _watchers.values():
        watcher.start_in_child()


os.register_at_fork(after_in_child=_keep_up_in_child)
