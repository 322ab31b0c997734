"""The processes of the demo: the same commands an operator runs, started and ended together."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from campaign.services.processes import before_exec

START_SECONDS = 60
STOP_SECONDS = 15


class DemoProblem(Exception):
    """The demo cannot go on. ``str()`` is a sentence for people."""


class Processes:
    """Child processes with a log file each; leaving the block ends them all."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self.logs = logs
        self.environment = {**os.environ, **environment}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for process in reversed(self._running.values()):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()

    def start(self, name: str, *command: str) -> Path:
        """Start ``python -m command…`` in a session of its own (so that Ctrl-C reaches it through us) and return its
        log."""
        log = self.logs / f"{name}.log"
        with log.open("wb") as output:
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own command lines
                [sys.executable, "-m", *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment,
                start_new_session=True,
                preexec_fn=before_exec(None, signal.SIGTERM),  # a killed demo leaves nothing running
            )
        return log

    def check(self) -> None:
        """Raise :class:`DemoProblem` when a process has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise DemoProblem(f"The process “{name}” ended. Its last words: {last_line(self.logs / f'{name}.log')}")

    def wait_for_line(self, log: Path, pattern: str) -> str:
        """The first group of ``pattern`` once the log has it. Raises :class:`DemoProblem` after a minute."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if found := re.search(pattern, log.read_text(errors="replace")):
                return found[1]
            self.check()
            time.sleep(0.05)
        raise DemoProblem(f"“{log.stem}” did not start within {START_SECONDS} seconds; see {log}.")

    def wait_for_page(self, url: str) -> None:
        """Return once ``url`` answers. Raises :class:`DemoProblem` after a minute."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own loopback address
                    return
            except (urllib.error.URLError, OSError):
                self.check()
                time.sleep(0.1)
        raise DemoProblem(f"{url} did not answer within {START_SECONDS} seconds.")


def last_line(log: Path) -> str:
    """The last line a process wrote."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "(none)"
