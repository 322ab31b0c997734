"""Spam filters."""

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deliveries.outside import spam
from deliveries.outside.spam import NoVerdict, Verdict, judge
from tests.deliveries.outside.web_server import WebServer
from tests.processes import running

MAIL = b"From: a@example.com\r\nTo: b@example.com\r\nSubject: Hello\r\n\r\nHello\r\n"
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


@contextmanager
def answering(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that takes everything and answers this; its address and what it took."""
    taken: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                got = b""
                while piece := client.recv(65_536):
                    got += piece
                taken.append(got)
                client.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"spamd://127.0.0.1:{listener.getsockname()[1]}", taken
        thread.join(5)


def test_rspamd_is_given_the_mail_and_its_verdict_is_read(web: WebServer):
    symbols = {"A": {"score": 1.5}, "B": {"score": 7.25}, "GOOD": {"score": -2.0}, "NIL": {"score": 0.0}}
    body = {"score": 8.75, "required_score": 15.0, "action": "add header", "symbols": symbols}
    web.add("/checkv2", body=json.dumps(body).encode())

    assert judge(web.base, MAIL) == Verdict(8.75, 15.0, True, ("B (7.2)", "A (1.5)"))
    assert web.asked[0][0] == "POST"
    assert web.bodies == [MAIL]


@pytest.mark.parametrize("action", ["no action", "greylist", "soft reject"])
def test_what_rspamd_does_to_strangers_is_no_verdict_of_spam(web: WebServer, action: str):
    web.add("/checkv2", body=json.dumps({"score": 1, "required_score": 15, "action": action}).encode())

    assert not judge(web.base, MAIL).is_spam


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"{}", b'{"score": "x", "required_score": 1}',
     b'{"score": 1, "required_score": 1, "symbols": 3}',
     b'{"score": 1, "required_score": 1, "symbols": {"A": {}}}', b"\xff\xfe", b"[" * 100_000, b"x" * 1_000_001],
)  # fmt: skip
def test_an_answer_that_is_no_verdict_is_said_to_be_none(web: WebServer, body: bytes):
    web.add("/checkv2", body=body)

    with pytest.raises(NoVerdict):
        judge(web.base, MAIL)


def test_a_refusal_is_named(web: WebServer):
    web.add("/checkv2", status=403)

    with pytest.raises(NoVerdict, match="answers 403"):
        judge(web.base, MAIL)


def test_spamassassin_is_given_the_mail_and_its_verdict_is_read():
    answer = b"SPAMD/1.1 0 EX_OK\r\nContent-length: 20\r\nSpam: True ; 7.4 / 5.0\r\n\r\nHTML_MESSAGE,URIBL_X\r\n"
    with answering(answer) as (url, taken):
        assert judge(url, MAIL) == Verdict(7.4, 5.0, True, ("HTML_MESSAGE", "URIBL_X"))

    assert taken == [b"SYMBOLS SPAMC/1.2\r\nContent-length: %d\r\n\r\n" % len(MAIL) + MAIL]


def test_spamassassin_may_find_nothing():
    with answering(b"SPAMD/1.1 0 EX_OK\r\nSpam: False ; -0.1 / 5.0\r\n\r\n") as (url, _):
        assert judge(url, MAIL) == Verdict(-0.1, 5.0, False, ())


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SPAMD/1.0 76 Bad header line\r\n",
        b"220 ESMTP\r\n",
        b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1.1.1 / 5\r\n\r\n",
    ],
)
def test_an_answer_of_spamassassin_that_is_no_verdict_is_said_to_be_none(answer: bytes):
    with answering(answer) as (url, _), pytest.raises(NoVerdict):
        judge(url, MAIL)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "spamd://127.0.0.1:9", "http://no-such-host.invalid:1", "spamd://x:99999"]
)
def test_a_filter_that_is_not_there_is_said_not_to_be(url: str):
    with pytest.raises(NoVerdict):
        judge(url, MAIL)


def test_a_filter_that_keeps_silent_is_waited_for_a_while_only(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spam, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(NoVerdict):
        judge(f"http://127.0.0.1:{listener.getsockname()[1]}", MAIL)


@pytest.fixture
def rspamd(tmp_path: Path) -> Iterator[str]:
    """A real Rspamd with its own rules, on a port of the loopback."""
    if shutil.which("rspamd") is None:
        pytest.skip("Rspamd is not installed here (apt-get install rspamd).")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name in ("db", "run", "log"):
        (tmp_path / name).mkdir()
    own = tmp_path / "rspamd.conf"
    own.write_text(
        f"""
        options {{ pidfile = "{tmp_path}/run/rspamd.pid"; filters = "chartable,dkim,regexp"; dns {{ timeout = 0.1; }} }}
        logging {{ type = "console"; level = "error"; }}
        worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; }}
        metric "default" {{ actions {{ reject = 15; add_header = 6; }} }}
        """
    )
    command = ["rspamd", "-f", "-c", str(own), "--var", f"DBDIR={tmp_path}/db", "--var", f"RUNDIR={tmp_path}/run"]
    root = ["-i"] if os.geteuid() == 0 else []
    with running([*command, *root]) as process:
        _wait_for(port, lambda: process.poll() is None)
        yield f"http://127.0.0.1:{port}"


def _wait_for(port: int, alive: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and alive():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.skip("Rspamd does not start here.")


def test_a_real_rspamd_lets_a_letter_pass_and_refuses_the_test_spam(rspamd: str):
    assert not judge(rspamd, MAIL).is_spam
    assert judge(rspamd, MAIL.replace(b"\r\n\r\nHello", b"\r\n\r\n" + GTUBE)).is_spam
