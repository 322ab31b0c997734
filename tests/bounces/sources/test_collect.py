"""Reading mailboxes by turns, tokens, and the process that watches them."""

import io
import os
import signal
import smtplib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg.conninfo import make_conninfo

from bounces import tasks
from bounces.models import BounceMailbox
from bounces.sources import collect as module
from bounces.sources.collect import address_of, collect, due
from bounces.sources.mailbox import PROTOCOLS, open_session
from campaign.env import BASE_DIR
from campaign.lib.alone import alone
from campaign.lib.clock import now
from recipients.models import Quarantine
from tests.bounces import sent
from tests.bounces.sources.ways import FOREIGN, mailbox
from tests.deliveries.factories import builtin_blocks
from tests.deliveries.sending.certificates import Authority
from tests.dovecot import Dovecot


@pytest.mark.django_db
def test_a_mailbox_is_due_when_its_interval_is_over_and_it_is_active() -> None:
    def made(name: str, **values: Any) -> None:
        BounceMailbox.objects.create(name=name, host="h", username="u", interval=timedelta(minutes=5), **values)

    made("never read")
    made("just read", checked_at=now() - timedelta(minutes=4))
    made("long ago", checked_at=now() - timedelta(minutes=5))
    made("switched off", is_active=False)

    assert sorted(each.name for each in due(now())) == ["long ago", "never read"]


@pytest.mark.django_db
def test_every_protocol_that_can_be_chosen_can_be_spoken(dovecot: Dovecot, authority: Authority) -> None:
    for protocol in ("imap", "pop3"):
        with open_session(address_of(mailbox(dovecot, authority, protocol=protocol)), {}):
            pass

    choices = BounceMailbox._meta.get_field("protocol").choices or []
    assert set(PROTOCOLS) == {value for value, _ in choices}


@pytest.mark.django_db
def test_a_task_reads_a_mailbox_and_the_next_comes_when_there_is_more(
    dovecot: Dovecot, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = mailbox(dovecot, authority)
    dovecot.put(box.username, *[FOREIGN + b"%d" % number for number in range(5)])
    monkeypatch.setattr(module, "BATCH", 2)
    announced: list[int] = []
    monkeypatch.setattr(tasks.collect_mailbox, "delay", announced.append)
    tasks.collect_due()
    monkeypatch.setattr(tasks, "SLICE", timedelta(0))

    tasks.collect_mailbox(box.pk)
    monkeypatch.setattr(tasks, "SLICE", timedelta(seconds=30))
    tasks.collect_mailbox(box.pk)

    box.refresh_from_db()
    assert announced == [box.pk, box.pk]
    assert box.left_count == 5


@pytest.mark.django_db(transaction=True)
def test_two_processes_do_not_read_a_mailbox_at_once() -> None:
    box = BounceMailbox.objects.create(name="Box", host="127.0.0.1", port=1, username="u")
    seen: list[bool] = []

    def elsewhere() -> None:
        seen.append(collect(box, now() + timedelta(seconds=5)))
        connection.close()

    with alone("bounce mailbox", box.pk):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join(10)

    box.refresh_from_db()
    assert seen == [False]
    assert box.checked_at is None  # not even tried: port 1 would have been an error


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Say where bounces come from"),
        (["--smtp", "here"], "is no address to listen on"),
        (["--lmtp", "127.0.0.1:99999"], "is no address to listen on"),
        (["--mailbox", "None"], "There is no mailbox “None”"),
        (
            ["--smtp", "127.0.0.1:0", "--certificate", "/nowhere.pem"],
            "The certificate cannot be used: no such file or directory.",
        ),
        (
            ["--smtp", "127.0.0.1:0", "--certificate", str(BASE_DIR / "README.md")],
            "The certificate cannot be used: the file must hold a certificate in PEM form",
        ),
        (["--smtp", "192.0.2.1:0"], "192.0.2.1:0 cannot be listened on: cannot assign requested address."),
    ],
)
def test_receiving_says_what_it_cannot_do(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("receive_bounces", *arguments, stdout=io.StringIO())


@pytest.fixture
def receiving() -> Iterator[Callable[..., tuple["subprocess.Popen[str]", str]]]:
    """`manage.py receive_bounces` as a process of its own on the test's database, and the first line it says."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> tuple["subprocess.Popen[str]", str]:
        values = connection.settings_dict
        url = make_conninfo(
            dbname=values["NAME"], user=values["USER"] or None, host=values["HOST"] or None,
            port=values["PORT"] or None, password=values["PASSWORD"] or None,
        )  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, str(BASE_DIR / "manage.py"), "receive_bounces", *arguments],
            env={**os.environ, "DATABASE_URL": url}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline()

    yield start
    for process in started:
        process.kill()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def until(holds: Callable[[], bool]) -> bool:
    """Whether it holds within a minute."""
    end = time.monotonic() + 60
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_process_takes_what_comes_by_mailbox_and_smtp_even_after_a_kill_and_ends_in_order(
    dovecot: Dovecot, authority: Authority, receiving: Callable[..., tuple["subprocess.Popen[str]", str]]
) -> None:
    builtin_blocks()
    one, two, three = sent.messages(sent.delivered(3))
    box = mailbox(dovecot, authority, interval=timedelta(minutes=10))
    killed, _ = receiving("--mailbox", box.name)
    assert until(lambda: BounceMailbox.objects.get().checked_at is not None)
    dovecot.put(box.username, FOREIGN, sent.bounce(one))
    assert until(lambda: Quarantine.objects.count() == 1)
    killed.kill()
    killed.wait(10)
    dovecot.put(box.username, sent.bounce(two))

    told, said = receiving("--smtp", "127.0.0.1:0", "--mailbox", box.name)

    assert until(lambda: Quarantine.objects.count() == 2)
    assert until(lambda: dovecot.subjects(box.username) == ["foreign"])
    with smtplib.SMTP("127.0.0.1", int(said.rpartition(":")[2]), local_hostname="mta.example.org") as client:
        client.sendmail("", [sent.return_path(three)], sent.bounce(three))
    assert Quarantine.objects.count() == 3
    told.send_signal(signal.SIGTERM)
    assert told.wait(60) == 0
    assert dovecot.flags(box.username) == [""]
