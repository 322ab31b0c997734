"""What running processes notice of a killed keeper: for some seconds their connections fail, then they work again."""

import os
import subprocess
import sys
import time
from functools import partial

import psycopg
import pytest
import redis

from campaign.env import BASE_DIR
from campaign.services.layout import Layout
from tests.campaign.services.clients import Clients, answer, wait_until

WATCHING = """
import dataclasses, json, os, sys
from pathlib import Path
from campaign.services import ensure, keep_up
urls = ensure(Path(sys.argv[1]))
keep_up(Path(sys.argv[1]))
print(json.dumps(dataclasses.asdict(urls)), flush=True)
sys.stdin.read()
"""
WATCHING_IN_A_FORK = WATCHING.replace("print(", "os.fork() and os._exit(0)\nprint(")
WITH_SETTINGS = """
import json, os, sys
os.environ["VAR_DIR"], os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = sys.argv[1], "", ""
os.environ["DJANGO_SETTINGS_MODULE"] = "campaign.settings"
import django, redis
django.setup()
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
queue = redis.Redis.from_url(settings.REDIS_URL)
def answers():
    close_old_connections()
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return {"backend": cursor.fetchone()[0], "redis": queue.ping()}
    except (DatabaseError, redis.ConnectionError):
        return {}
print(json.dumps(answers()), flush=True)
for line in sys.stdin:
    print(json.dumps(answers()), flush=True)
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="The tests look into /proc."),
]


def answers(urls: dict[str, str]) -> bool:
    try:
        with psycopg.connect(urls["database"]) as connection, redis.Redis.from_url(urls["redis"]) as client:
            connection.execute("SELECT 1")
            return bool(client.ping())
    except (psycopg.OperationalError, redis.ConnectionError):
        return False


def is_up_again(clients: Clients, urls: dict[str, str], killed: int) -> bool:
    return answers(urls) and clients.pid("bin/postgres") != killed


@pytest.mark.parametrize("program", [WATCHING, WATCHING_IN_A_FORK], ids=["process", "fork"])
def test_a_running_process_starts_a_killed_keeper_again_at_the_same_addresses(clients, program):
    _, urls = clients.started(program)
    database = clients.pid("bin/postgres")

    clients.kill_keeper()

    wait_until(lambda: is_up_again(clients, urls, database))


def test_it_does_so_each_time(clients):
    _, urls = clients.started(WATCHING)

    for _ in range(2):
        database = clients.pid("bin/postgres")
        clients.kill_keeper()
        wait_until(partial(is_up_again, clients, urls, database))


def test_processes_that_notice_together_start_one_keeper(clients):
    running = [clients.started(program) for program in (WATCHING, WATCHING_IN_A_FORK, WATCHING)]
    urls = running[0][1]
    database = clients.pid("bin/postgres")

    clients.kill_keeper()

    wait_until(lambda: is_up_again(clients, urls, database))
    time.sleep(1)
    assert len(clients.keepers()) == 1
    assert len([line for line in clients.servers() if "redis-server" in line]) == 1


def test_nothing_is_left_when_the_processes_that_watch_are_gone(clients):
    process, urls = clients.started(WATCHING)
    database = clients.pid("bin/postgres")
    clients.kill_keeper()
    wait_until(lambda: is_up_again(clients, urls, database))

    clients.end(process)

    wait_until(lambda: not clients.servers())


def test_a_process_that_watches_ends_at_once(clients):
    process, _ = clients.started(WATCHING)

    started = time.monotonic()
    clients.end(process)

    assert process.returncode == 0
    assert time.monotonic() - started < 5


def test_a_django_process_that_was_connected_works_again(clients):
    process = clients.start(WITH_SETTINGS)
    before = answer(process)

    def now() -> dict[str, str]:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        return answer(process)

    assert now() == before
    clients.kill_keeper()

    wait_until(lambda: now() not in ({}, before))


def test_it_watches_nothing_whose_folder_was_removed(clients):
    process, _ = clients.started(WATCHING)
    folder = Layout(clients.var_dir).folder
    folder.rename(folder.with_name("removed"))

    clients.kill_keeper()
    wait_until(lambda: not clients.servers())
    time.sleep(1)

    assert not folder.exists()
    assert process.poll() is None


def test_settings_with_addresses_of_their_own_watch_nothing():
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "campaign.settings"}
    assert environment["DATABASE_URL"]
    assert environment["REDIS_URL"]

    threads = subprocess.run(
        [sys.executable, "-c", "import campaign.settings, threading; print(threading.enumerate())"],
        cwd=BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "services-watcher" not in threads.stdout
