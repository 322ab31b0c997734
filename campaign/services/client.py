"""What a process does that needs the services: say that it uses them, and start their keeper if nobody has."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from campaign.services.layout import Layout, ServiceProblem, Urls
from campaign.services.locks import is_held, open_lock, release, take_shared, wait_exclusive
from campaign.services.postgresql import problem_sentence

START_SECONDS = 180
POLL_SECONDS = 0.02
PROJECT = Path(__file__).resolve().parents[2]

# Descriptors of the users' locks, never closed: the kernel does it when this process and its forks are gone.
_in_use: dict[Path, int] = {}


def ensure(var_dir: Path) -> Urls:
    """Addresses of running services that stay up for the life of this process. Raises :class:`ServiceProblem`."""
    layout = Layout(var_dir.resolve())
    layout.folder.mkdir(parents=True, exist_ok=True)
    _join(layout)
    start_lock = open_lock(layout.start_lock)
    try:
        if not wait_exclusive(start_lock, seconds=START_SECONDS):
            raise ServiceProblem(
                f"Another process has been starting the services for minutes; see {layout.keeper_log}."
            )
        return _running(layout) if is_held(layout.keeper_lock) else _start(layout)
    finally:
        # Left explicitly: a copy that a fork in another thread made meanwhile would keep it.
        release(start_lock)
        os.close(start_lock)


def _join(layout: Layout) -> None:
    """Hold the users' lock; waits while a keeper that nobody used is stopping."""
    if layout.var_dir not in _in_use:
        descriptor = open_lock(layout.users_lock)
        take_shared(descriptor)
        _in_use[layout.var_dir] = descriptor


def _start(layout: Layout) -> Urls:
    layout.state.unlink(missing_ok=True)
    with layout.keeper_log.open("ab") as log:
        subprocess.run(  # noqa: S603 - our own command line
            [sys.executable, "-m", "campaign.services.keeper", str(layout.var_dir)],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            check=False,
        )
    return _running(layout)


def _running(layout: Layout) -> Urls:
    """What the keeper says of itself; waits for a keeper that is still starting."""
    while not layout.state.exists():
        time.sleep(POLL_SECONDS)
        if not is_held(layout.keeper_lock) and not layout.state.exists():
            raise ServiceProblem(problem_sentence("keeper of PostgreSQL and Redis", layout.keeper_log))
    state = json.loads(layout.state.read_text())
    if "problem" in state:
        raise ServiceProblem(state["problem"])
    return Urls(**state)
