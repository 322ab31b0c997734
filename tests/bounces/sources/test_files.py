"""Bounces in files and at standard input."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from bounces import process
from bounces.models import BounceMail
from campaign.env import BASE_DIR
from recipients.models import Quarantine
from tests.bounces import sent
from tests.bounces.sources.ways import FOREIGN, ByPipe

pytestmark = pytest.mark.django_db


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> ByPipe:
    return ByPipe(monkeypatch)


def qualify(*arguments: object) -> str:
    out = io.StringIO()
    call_command("qualify", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_every_mail_of_a_directory_is_processed_and_stays(tmp_path: Path) -> None:
    messages = sent.messages(sent.delivered(2))
    for number, message in enumerate(messages):
        (tmp_path / f"{number}.eml").write_bytes(sent.bounce(message))
    (tmp_path / "foreign.eml").write_bytes(FOREIGN)

    lines = [json.loads(line) for line in qualify(tmp_path, "--json").splitlines()]

    assert [(line["file"], line["kind"], line["outcome"]) for line in lines] == [
        ("0.eml", "bounce", "ours"), ("1.eml", "bounce", "ours"), ("foreign.eml", "other", "not ours"),
    ]  # fmt: skip
    assert Quarantine.objects.count() == 2
    assert len(list(tmp_path.iterdir())) == 3


def test_a_dry_run_asks_the_database_nothing(tmp_path: Path) -> None:
    (message,) = sent.messages(sent.delivered())
    (tmp_path / "1.eml").write_bytes(sent.bounce(message))

    with CaptureQueriesContext(connection) as queries:
        line = json.loads(qualify(tmp_path, "--json", "--dry-run"))

    assert len(queries) == 0
    assert line == {
        "file": "1.eml",
        "kind": "bounce",
        "recipients": [
            {
                "address": message.address,
                "type": "hard",
                "reason": "User unknown",
                "rule": "user unknown",
                "text": f"550 5.1.1 <{message.address}>: Recipient address rejected: User unknown",
            }
        ],
    }


def test_words_say_what_was_done(tmp_path: Path) -> None:
    (message,) = sent.messages(sent.delivered())
    (tmp_path / "1.eml").write_bytes(sent.bounce(message))

    said = qualify(tmp_path)

    assert said.startswith(f"1.eml: bounce (ours): The message to {message.address} failed: hard, User unknown.")


def test_a_pipe_learns_what_became_of_its_mail(pipe: ByPipe, monkeypatch: pytest.MonkeyPatch) -> None:
    (message,) = sent.messages(sent.delivered())
    raw = sent.bounce(message)

    assert (pipe.piped(raw), pipe.piped(raw)) == (0, 0)
    assert pipe.piped(FOREIGN) == 67

    monkeypatch.setattr(process, "_together", _away)
    assert pipe.piped(raw) == 75


def test_a_pipe_that_meets_an_error_of_ours_keeps_its_mail(pipe: ByPipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(process, "_together", broken)

    assert pipe.piped(FOREIGN) == 75


def _away(*_: Any) -> Any:
    raise OperationalError("away")


def test_the_envelope_of_a_pipe_leads_to_the_message(pipe: ByPipe) -> None:
    (message,) = sent.messages(sent.delivered())

    code = pipe.piped(b"Subject: failure\n\n550 5.1.1 User unknown\n", "--envelope-to", sent.return_path(message))

    assert code == 0
    assert BounceMail.objects.get().message_ids == [message.pk]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file or directory") as error:
        qualify(tmp_path / "nothing")

    assert error.value.returncode == 66


def test_a_mail_comes_again_when_no_database_answers() -> None:
    """A real pipe into a real process, whose database does not exist."""
    environment = {**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}

    done = subprocess.run(
        [sys.executable, str(BASE_DIR / "manage.py"), "qualify", "-"],
        input=FOREIGN + b"x" * 3_000_000, env=environment, capture_output=True, timeout=60,
    )  # fmt: skip

    assert done.returncode == 75
    assert b"The database cannot be reached" in done.stderr
    assert b"Traceback" not in done.stderr
