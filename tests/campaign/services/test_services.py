"""Real processes throughout: what counts is what the kernel does when one of them is killed."""

import os
import signal
import sys
import time

import psycopg
import pytest
import redis

from campaign.services.layout import LONGEST_SOCKET_PATH_BYTES, POSTGRESQL_SOCKET, Layout
from tests.campaign.services.clients import answer, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="The tests look into /proc."),
]


def test_it_starts_one_of_each_for_processes_that_come_together(clients):
    first, second = clients.start(), clients.start()

    assert answer(first) == answer(second)
    assert len(clients.keepers()) == 1
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

    clients.kill_keeper()

    wait_until(lambda: not clients.servers())


def test_the_next_client_starts_again_right_after_the_keeper_was_killed(clients):
    clients.started()
    clients.kill_keeper()

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
