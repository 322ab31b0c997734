"""Real processes throughout: what counts is what the kernel does when one of them is killed."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from campaign.env import BASE_DIR
from campaign.services.layout import LONGEST_SOCKET_PATH_BYTES, POSTGRESQL_SOCKET, Layout

CLIENT = """
import dataclasses, json, sys
from pathlib import Path
from campaign.services import ServiceProblem, ensure
try:
    print(json.dumps(dataclasses.asdict(ensure(Path(sys.argv[1])))), flush=True)
except ServiceProblem as problem:
    sys.exit(str(problem))
sys.stdin.read()
"""
GONE_SECONDS = 60


class Clients:
    """Processes that use the services of one VAR_DIR."""

    def __init__(self, var_dir: Path) -> None:
        self.var_dir = var_dir
        self.processes: list[subprocess.Popen[str]] = []

    def start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", CLIENT, str(self.var_dir)],
            cwd=BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def started(self) -> tuple[subprocess.Popen[str], dict[str, str]]:
        process = self.start()
        return process, answer(process)

    def end(self, process: subprocess.Popen[str]) -> None:
        process.communicate()

    def servers(self) -> set[str]:
        """Command lines of the keeper and the servers of this VAR_DIR that are alive."""
        return {line for line in command_lines().values() if str(self.var_dir) in line and "-c" not in line.split("\0")}

    def pid(self, word: str) -> int:
        return next(pid for pid, line in command_lines().items() if word in line and str(self.var_dir) in line)


def command_lines() -> dict[int, str]:
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = (folder / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
    return found


def answer(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    urls: dict[str, str] = json.loads(line)
    return urls


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GONE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


@pytest.fixture
def clients() -> Iterator[Clients]:
    with tempfile.TemporaryDirectory(prefix="services-") as folder:
        clients = Clients(Path(folder) / "test")
        clients.var_dir.mkdir()
        yield clients
        for process in clients.processes:
            process.kill()
            process.communicate()
        wait_until(lambda: not clients.servers())


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="The tests look into /proc."),
]


def test_it_starts_one_of_each_for_processes_that_come_together(clients):
    first, second = clients.start(), clients.start()

    assert answer(first) == answer(second)
    assert len([line for line in clients.servers() if "campaign.services.keeper" in line]) == 1
    assert len([line for line in clients.servers() if "redis-server" in line]) == 1


def test_it_keeps_the_data_between_runs(clients):
    first, urls = clients.started()
    with psycopg.connect(urls["database"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with redis.Redis.from_url(urls["redis"]) as client:
        client.set("kept", "42")
    clients.end(first)
    wait_until(lambda: not clients.servers())

    _, urls = clients.started()

    with psycopg.connect(urls["database"]) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    with redis.Redis.from_url(urls["redis"]) as client:
        assert client.get("kept") == b"42"


def test_it_stays_up_while_anyone_uses_it(clients):
    first, urls = clients.started()
    clients.started()

    clients.end(first)
    time.sleep(5)

    with psycopg.connect(urls["database"]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_nothing_is_left_when_the_client_is_killed(clients):
    client, _ = clients.started()

    client.kill()

    wait_until(lambda: not clients.servers())


def test_nothing_is_left_when_the_keeper_is_killed(clients):
    clients.started()

    os.kill(clients.pid("campaign.services.keeper"), signal.SIGKILL)

    wait_until(lambda: not clients.servers())


def test_the_next_client_starts_again_right_after_the_keeper_was_killed(clients):
    clients.started()
    os.kill(clients.pid("campaign.services.keeper"), signal.SIGKILL)

    _, urls = clients.started()

    with psycopg.connect(urls["database"]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_killed_database_is_started_again(clients):
    _, urls = clients.started()
    os.kill(clients.pid("bin/postgres"), signal.SIGKILL)

    def answers() -> bool:
        try:
            with psycopg.connect(urls["database"]) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    time.sleep(0.5)
    wait_until(answers)


def test_a_process_number_left_behind_does_no_harm(clients):
    first, _ = clients.started()
    clients.end(first)
    wait_until(lambda: not clients.servers())
    layout = Layout(clients.var_dir)
    stale = layout.postgresql_data / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{layout.postgresql_data}\n1700000000\n5432\n\n\n\nready\n")

    _, urls = clients.started()

    assert urls["database"].startswith("postgresql://")


def test_it_says_in_one_sentence_why_the_database_does_not_start(clients):
    data = Layout(clients.var_dir).postgresql_data
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("9.6\n")

    client = clients.start()
    _, complaint = client.communicate(timeout=60)

    assert client.returncode == 1
    assert len(complaint.strip().splitlines()) == 1
    assert complaint.startswith("The project's own PostgreSQL cannot start: ")
    assert complaint.strip().endswith(f"The whole story is in {Layout(clients.var_dir).postgresql_log}.")


def test_its_sockets_have_short_paths_wherever_the_project_lies(tmp_path):
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    layout = Layout(deep)
    layout.folder.mkdir(parents=True)

    sockets = layout.sockets()

    assert len(os.fsencode(sockets / POSTGRESQL_SOCKET)) <= LONGEST_SOCKET_PATH_BYTES
    assert sockets.stat().st_mode & 0o077 == 0
    assert layout.sockets() == sockets
    sockets.rmdir()


def test_only_the_owner_reaches_the_sockets(clients):
    clients.started()

    assert Layout(clients.var_dir).sockets().stat().st_mode & 0o077 == 0
