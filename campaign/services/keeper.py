"""The process that runs PostgreSQL and Redis for everyone: ``python -m campaign.services.keeper VAR_DIR``.

It has one thread, because the kernel ties the servers' lives to the thread that started them.
"""

import dataclasses
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import Protocol

from campaign.services.layout import Layout, ServiceProblem
from campaign.services.locks import open_lock, release, take_exclusive, try_exclusive, wait_exclusive
from campaign.services.postgresql import Postgresql
from campaign.services.redis_server import RedisServer

LOOK_SECONDS = 0.5
LINGER_SECONDS = 3.0
FORMER_STOP_SECONDS = 60

logger = logging.getLogger("keeper")


class Server(Protocol):
    """What the keeper needs of a server."""

    def start(self) -> None: ...
    def is_running(self) -> bool: ...
    def stop(self) -> None: ...


class Terminated(Exception):
    """Someone asked the keeper to end."""


def keep(layout: Layout) -> None:
    """Run both servers until nobody has used them for a moment, or until a signal; then stop them cleanly."""
    servers: list[Server] = []
    try:
        lifeline = _lifeline(layout)
        for kind in (Postgresql, RedisServer):
            server: Server = kind(layout, lifeline)
            servers.append(server)
            server.start()
        _say(layout, dataclasses.asdict(layout.urls()))
        _watch(layout, servers)
    except ServiceProblem as problem:
        _say(layout, {"problem": str(problem)})
        logger.error("%s", problem)
    except Terminated:
        logger.info("asked to end")
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for server in reversed(servers):
            server.stop()
        logger.info("stopped")


def _lifeline(layout: Layout) -> int:
    """The lock both servers inherit; waits for those of a killed keeper, which are still on their way out."""
    descriptor = open_lock(layout.children_lock)
    if not wait_exclusive(descriptor, seconds=FORMER_STOP_SECONDS):
        raise ServiceProblem(f"A PostgreSQL or Redis of an earlier run is still using {layout.folder}; stop it first.")
    return descriptor


def _watch(layout: Layout, servers: list[Server]) -> None:
    """Return, holding the users' lock alone, when nobody has used the servers for a moment; revive any that died."""
    users_lock = open_lock(layout.users_lock)
    unused_since: float | None = None
    while True:
        time.sleep(LOOK_SECONDS)
        for server in servers:
            if not server.is_running():
                logger.warning("%s ended by itself; it is started again", type(server).__name__)
                server.start()
        if not try_exclusive(users_lock):
            unused_since = None
            continue
        unused_since = unused_since or time.monotonic()
        if time.monotonic() - unused_since >= LINGER_SECONDS:
            logger.info("nobody uses the services any more")
            # Whoever comes now waits for this lock, which ends with this process, and starts a new keeper.
            return
        release(users_lock)


def _say(layout: Layout, state: dict[str, str]) -> None:
    draft = layout.state.with_suffix(".new")
    draft.write_text(json.dumps(state))
    draft.rename(layout.state)


def _on_signal(number: int, frame: object) -> None:
    raise Terminated


def main() -> None:
    """Take the keeper's lock, then go on in the background: when the command returns, the lock tells who lives."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
    signal.signal(signal.SIGTERM, _on_signal)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.umask(0o077)
    layout = Layout(Path(sys.argv[1]))
    keeper_lock = open_lock(layout.keeper_lock)
    if not try_exclusive(keeper_lock):
        return
    # After the keeper's lock and never closed: the kernel frees it after that one, so whoever it wakes finds no keeper.
    take_exclusive(open_lock(layout.watch_lock))
    if os.fork() != 0:
        return
    try:
        keep(layout)
    finally:
        # Before the users' lock, which ends with the process: a client that gets that one must find no keeper.
        os.close(keeper_lock)


if __name__ == "__main__":
    main()
