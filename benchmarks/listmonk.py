"""listmonk with the benchmarks' newsletter: a campaign of its own program, in a database of its own, unsigned.

The program is what LISTMONK names: a binary as its releases carry it, or one built in its source tree (then the files
beside it are used). It runs as shipped, but for its limits: ten SMTP connections, no rate. It tracks neither links nor
opens.
"""

import json
import os
import re
import subprocess
import time
import uuid
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks import letter
from benchmarks.lab import BenchmarkProblem

DATABASE: Final = "listmonk"
CONNECTIONS: Final = 10
NO_RATE: Final = 1_000_000
START_SECONDS: Final = 60
LONGEST_SECONDS: Final = 600


def rate(program: Path, port: int, messages: int, server: Mapping[str, Any], folder: Path) -> float:
    """Messages per second from the start of the campaign to its end, as listmonk's own database has them.

    ``server`` is Django's settings of a PostgreSQL in which a database is made. Raises :class:`BenchmarkProblem`.
    """
    address = {"host": str(server["HOST"]), "user": str(server["USER"])}
    with closing(_connected(str(server["NAME"]), address)) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")
        connection.execute(f"ALTER DATABASE {DATABASE} SET extension_control_path = '{_passwords(folder)}:$system'")
    environment = {
        **os.environ,
        "LISTMONK_app__address": "127.0.0.1:0",
        **{f"LISTMONK_db__{name}": value for name, value in address.items()},
        "LISTMONK_db__database": DATABASE,
        "LISTMONK_db__ssl_mode": "disable",
        "LISTMONK_db__max_open": "25",
        "LISTMONK_db__max_idle": "25",
        "LISTMONK_db__max_lifetime": "300s",
    }
    log = folder / "listmonk.log"
    with log.open("wb") as output:
        options: dict[str, Any] = {"cwd": program.parent, "env": environment, "stdout": output, "stderr": output}
        install = [str(program), "--config=", "--install", "--yes"]
        if subprocess.run(install, check=False, **options).returncode:
            raise BenchmarkProblem(f"listmonk could not set up its database; {log} says why.")
        with closing(_connected(DATABASE, address)) as connection:
            _write(connection, port, messages)
            with subprocess.Popen([str(program), "--config="], **options) as process:
                try:
                    return _finished(connection, process, messages, log)
                finally:
                    process.terminate()


def _connected(name: str, address: Mapping[str, str]) -> "psycopg.Connection[Any]":
    return psycopg.connect(make_conninfo(dbname=name, **address), autocommit=True)


def _passwords(folder: Path) -> Path:
    """Where PostgreSQL finds a stand-in for pgcrypto, which the embedded one lacks. Only passwords of listmonk's own
    users need it, and nobody logs in here."""
    extension = folder / "listmonk" / "extension"
    extension.mkdir(parents=True)
    (extension / "pgcrypto.control").write_text("default_version = '1.0'\ntrusted = true\n")
    (extension / "pgcrypto--1.0.sql").write_text(
        "CREATE FUNCTION crypt(text, text) RETURNS text LANGUAGE sql AS $$SELECT 'nobody'$$;\n"
        "CREATE FUNCTION gen_salt(text) RETURNS text LANGUAGE sql AS $$SELECT 'nobody'$$;\n"
    )
    return extension.parent


def _write(connection: "psycopg.Connection[Any]", port: int, messages: int) -> None:
    """Settings, people, and a campaign that runs as soon as the program does."""
    smtp = {
        "enabled": True, "host": "127.0.0.1", "port": port, "auth_protocol": "none", "username": "", "password": "",
        "hello_hostname": "listmonk.example", "max_conns": CONNECTIONS, "idle_timeout": "15s", "wait_timeout": "5s",
        "max_msg_retries": 2, "msg_retry_delay": "10ms", "tls_type": "none", "tls_skip_verify": False,
        "email_headers": [], "from_addresses": [],
    }  # fmt: skip
    changed = {"smtp": [smtp], "app.concurrency": CONNECTIONS, "app.message_rate": NO_RATE}
    with connection.transaction():
        for key, value in changed.items():
            connection.execute("UPDATE settings SET value = %s WHERE key = %s", [json.dumps(value), key])
        connection.execute("TRUNCATE subscribers, lists, campaigns, campaign_lists, subscriber_lists CASCADE")
        list_id = _id(
            connection,
            "INSERT INTO lists (uuid, name, type) VALUES (%s, 'Readers', 'private') RETURNING id",
            [uuid.uuid4()],
        )
        people = ((uuid.uuid4(), letter.address(n), letter.person(n)) for n in range(1, messages + 1))
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO subscribers (uuid, email, name, attribs) VALUES (%s, %s, %s, %s)",
                [(key, mail, person["first_name"], json.dumps(person)) for key, mail, person in people],
            )
        connection.execute(
            "INSERT INTO subscriber_lists (subscriber_id, list_id, status) SELECT id, %s, 'confirmed' FROM subscribers",
            [list_id],
        )
        template_id = _id(
            connection,
            "INSERT INTO templates (name, type, subject, body) VALUES ('Bare', 'campaign', '', %s) RETURNING id",
            ['{{ template "content" . }}'],
        )
        campaign_id = _id(
            connection,
            "INSERT INTO campaigns (uuid, name, subject, from_email, body, altbody, content_type, messenger, status,"
            " template_id) VALUES (%s, 'Benchmark', %s, %s, %s, %s, 'html', 'email', 'running', %s) RETURNING id",
            [
                uuid.uuid4(),
                _in_go(letter.SUBJECT),
                f"{letter.SENDER_NAME} <news@sender.example>",
                _in_go(letter.html()),
                _in_go(letter.text()),
                template_id,
            ],
        )
        connection.execute(
            "INSERT INTO campaign_lists (campaign_id, list_id, list_name) VALUES (%s, %s, 'Readers')",
            [campaign_id, list_id],
        )
    connection.execute("VACUUM ANALYZE")


def _in_go(source: str) -> str:
    """The newsletter's personalization in Go's templates."""
    return re.sub(r"{{ recipient\.(\w+) }}", r"{{ .Subscriber.Attribs.\1 }}", source)


def _id(connection: "psycopg.Connection[Any]", statement: str, values: list[object]) -> int:
    row = connection.execute(statement.encode(), values).fetchone()
    assert row is not None
    return int(row[0])


def _finished(
    connection: "psycopg.Connection[Any]", process: "subprocess.Popen[bytes]", messages: int, log: Path
) -> float:
    """The rate, once the campaign is finished."""
    began = time.monotonic()
    while True:
        time.sleep(0.2)
        row = connection.execute(
            "SELECT status::text, sent, extract(epoch FROM updated_at - started_at) FROM campaigns"
        ).fetchone()
        assert row is not None
        status, sent, seconds = row
        if status == "finished":
            break
        waited = time.monotonic() - began
        if process.poll() is not None or waited > LONGEST_SECONDS or (waited > START_SECONDS and not sent):
            raise BenchmarkProblem(f"listmonk did not finish its campaign ({status}, {sent} sent); {log} says why.")
    if sent != messages:
        raise BenchmarkProblem(f"listmonk sent {sent} of {messages} messages; {log} says why.")
    return round(messages / float(seconds), 1)
