"""An IMAP server that breaks the protocol: a sentence in the mailbox's row, and no end of the process that reads it."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from bounces.models import BounceMailbox
from bounces.sources.collect import collect
from campaign.lib.clock import now

pytestmark = pytest.mark.django_db

MAIL = b'* 1 FETCH (UID 1 INTERNALDATE "17-Jul-2026 02:44:25 -0700" BODY[]<0> {5}\r\nhello)\r\n'
ANSWERS = {
    b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n",
    b"SELECT": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] Good\r\n",
    b"UID SEARCH": b"* SEARCH 1\r\n",
    b"UID FETCH": MAIL,
}


@contextmanager
def server(answers: dict[bytes, bytes]) -> Iterator[int]:
    """The port of a server that says OK to everything, and before that what is given for the command."""

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"* OK hello\r\n")
            for line in self.rfile:
                tag, _, command = line.strip().partition(b" ")
                said = next((each for name, each in answers.items() if command.upper().startswith(name)), b"")
                self.wfile.write(said + tag + b" OK done\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Talk) as made:
        threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
        yield int(made.server_address[1])
        made.shutdown()


def collected(changed: dict[bytes, bytes]) -> BounceMailbox:
    with server(ANSWERS | changed) as port:
        box = BounceMailbox(name="Odd", protocol="imap", host="127.0.0.1", port=port, security="none", username="u")
        box.password = "secret"
        box.save()
        collect(box, now() + timedelta(seconds=10))
    box.refresh_from_db()
    return box


def test_the_server_of_these_tests_can_tell_the_truth() -> None:
    box = collected({})

    assert (box.left_count, box.last_error) == (1, "")


@pytest.mark.parametrize(
    ("command", "answer", "sentence"),
    [
        (b"SELECT", b"* 1 EXISTS\r\n", "its answer lacks UIDVALIDITY"),
        (b"SELECT", b"* OK [UIDVALIDITY 7] Good\r\n", "its answer lacks EXISTS"),
        (b"SELECT", b"* 1 EXISTS\r\n* OK [UIDVALIDITY x] Bad\r\n", "while opening the folder INBOX"),
        (b"UID SEARCH", b"* SEARCH one\r\n", "while looking for mails"),
        (b"UID FETCH", b"* 1 FETCH " + b"(" * 20_000 + b")" * 20_000 + b"\r\n", "the answer is nested too deeply"),
        (b"UID FETCH", b"* 1 FETCH (UID one)\r\n", "It is tried again."),
    ],
)
def test_what_no_server_should_say_ends_in_a_sentence(command: bytes, answer: bytes, sentence: str) -> None:
    assert sentence in collected({command: answer}).last_error
