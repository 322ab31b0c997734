"""Where a benchmark runs: a fresh folder with PostgreSQL and Redis of its own, and workers as operators start them.

Nothing here imports a model, so that it can be imported before Django knows its settings.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import ceil
from pathlib import Path

from campaign.services.layout import Layout
from campaign.services.locks import open_lock, wait_exclusive
from campaign.services.processes import before_exec

PROJECT = Path(__file__).resolve().parents[1]
START_SECONDS = 60
STOP_SECONDS = 15
TICKS = os.sysconf("SC_CLK_TCK")


class BenchmarkProblem(Exception):
    """The benchmark cannot go on. ``str()`` is a sentence for people."""


def begin(folder: Path) -> None:
    """Start fresh services in ``folder``, whatever the environment says, and set Django up with an empty database."""
    _empty(folder)
    cleared = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS"), "")
    os.environ.update(
        cleared,
        VAR_DIR=str(folder),
        PUBLIC_URL="https://mail.example.com",
        DJANGO_SETTINGS_MODULE="campaign.settings",
        LOG_LEVEL="INFO",
        DEBUG="false",
    )
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _empty(folder: Path) -> None:
    """Remove what an earlier run left, once its servers are gone."""
    services = Layout(folder).folder
    if services.exists():
        lock = open_lock(Layout(folder).children_lock)
        try:
            if not wait_exclusive(lock, seconds=60):
                raise BenchmarkProblem(f"Another run is still using {folder}. Wait for its end.")
        finally:
            os.close(lock)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


class Program:
    """A program of the project, as an operator's supervisor starts it; each start is a session of its own."""

    def __init__(self, name: str, *command: str, **environment: str) -> None:
        from django.conf import settings

        self.name = name
        self.folder = Path(settings.VAR_DIR) / name
        self.folder.mkdir(exist_ok=True)
        self.log = self.folder / "program.log"
        self._command = command
        self._environment = {**os.environ, **environment}
        self._started: list[subprocess.Popen[bytes]] = []

    @property
    def main(self) -> subprocess.Popen[bytes]:
        """The main process, the last one that was started."""
        return self._started[-1]

    @property
    def is_running(self) -> bool:
        """The main process has not ended."""
        return self.main.poll() is None

    def start(self) -> None:
        """Start the program; returns at once."""
        with self.log.open("ab") as output:
            self._started.append(
                subprocess.Popen(
                    [sys.executable, "-m", *self._command],
                    cwd=PROJECT,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=self._environment,
                    start_new_session=True,
                    preexec_fn=before_exec(None, signal.SIGTERM),
                )
            )

    def stop(self) -> None:
        """Warm shutdown, then an end to whatever is left of the sessions."""
        if self._started and self.is_running:
            self.main.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.main.wait(STOP_SECONDS)
        for process in self._started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Node(Program):
    """One Celery worker, as on a host of its own: it shares nothing but the two services.

    ``connections`` are those that its ``processes`` open to a relay at most, all together.
    """

    def __init__(self, name: str, processes: int, *, connections: int) -> None:
        from django.conf import settings

        super().__init__(
            name,
            *("celery", "--app", "campaign", "worker", "--hostname", f"{name}@%h", "--concurrency", str(processes)),
            *("--queues", "sending,default", "--loglevel", "INFO"),
            LANES_PER_PROCESS=str(ceil(connections / processes)),
            VAR_DIR=str(Path(settings.VAR_DIR) / name),
            DATABASE_URL=settings.DATABASE_URL,
            REDIS_URL=settings.REDIS_URL,
            SECRET_KEY=settings.SECRET_KEY,
        )

    def wait_until_ready(self) -> None:
        """Return once the worker says so. Raises :class:`BenchmarkProblem`."""
        deadline = time.monotonic() + START_SECONDS
        while not re.search(r"ready\.", self.log.read_text(errors="replace")):
            if not self.is_running or time.monotonic() > deadline:
                raise BenchmarkProblem(f"The worker “{self.name}” did not start; see {self.log}.")
            time.sleep(0.05)

    def senders(self) -> list[int]:
        """Process numbers of the sending processes."""
        return children(self.main.pid)


def scheduler() -> Program:
    """Celery beat, which finds what was left lying."""
    return Program("beat", "celery", "--app", "campaign", "beat", "--loglevel", "INFO")


@contextmanager
def running(*nodes: Node) -> Iterator[list[Program]]:
    """The nodes, ready, and a scheduler; ended with the block."""
    programs: list[Program] = [*nodes, scheduler()]
    try:
        for program in programs:
            program.start()
        for node in nodes:
            node.wait_until_ready()
        yield programs
    finally:
        for program in programs:
            program.stop()


def children(pid: int) -> list[int]:
    """Process numbers of a process's children (Linux); none when it is gone."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def peak_memory(pid: int) -> float:
    """The most memory a process ever had, in MB (Linux: VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return round(int(found[1]) / 1024, 1) if found else 0.0


class Cpu:
    """Processor time from now on, of groups of processes (with their ended children) and of the machine (Linux)."""

    def __init__(self, groups: dict[str, list[int]]) -> None:
        self._groups = groups
        self._began = time.monotonic()
        self._before = self._seconds()

    def per_message(self, messages: int) -> dict[str, float]:
        """Milliseconds per message by group."""
        now = self._seconds()
        return {name: round((now[name] - self._before[name]) * 1000 / messages, 3) for name in self._groups}

    def cores_of_others(self) -> float:
        """How many cores everybody else on this machine has kept busy: what a noisy measurement is recognised by."""
        used = {name: seconds - self._before[name] for name, seconds in self._seconds().items()}
        others = used.pop(EVERYBODY) - sum(used.values())
        return round(max(others, 0.0) / (time.monotonic() - self._began), 2)

    def _seconds(self) -> dict[str, float]:
        groups = {name: sum(_cpu_seconds(pid) for pid in pids) for name, pids in self._groups.items()}
        user, nice, system, _, _, interrupts, soft, stolen = Path("/proc/stat").read_text().split(maxsplit=9)[1:9]
        return {**groups, EVERYBODY: sum(map(int, (user, nice, system, interrupts, soft, stolen))) / TICKS}


EVERYBODY = "everybody"


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(ticks) for ticks in fields[11:15]) / TICKS
