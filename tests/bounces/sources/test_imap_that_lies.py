"""An IMAP server that breaks the protocol: a sentence in the mailbox's row, and no end of the process that reads it."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from bounces.models import BounceMail, BounceMailbox
from bounces.sources import imap
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
    with server(changed | {name: said for name, said in ANSWERS.items() if name not in changed}) as port:
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


def test_of_a_mail_that_comes_longer_than_asked_for_the_beginning_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "MAX_OCTETS", 1_000)
    long = b'* 1 FETCH (UID 1 INTERNALDATE "17-Jul-2026 02:44:25 -0700" BODY[]<0> {30000}\r\n%b)\r\n' % (b"x" * 30_000)

    box = collected({b"UID FETCH": long})

    assert (box.left_count, box.last_error) == (1, "")
    assert BounceMail.objects.get().octets == 1_000


@pytest.mark.parametrize(("name", "most"), [("MOST_OCTETS", 29_000), ("_MOST_KEPT", 900)])
def test_an_answer_that_goes_on_and_on_is_hung_up_on(monkeypatch: pytest.MonkeyPatch, name: str, most: int) -> None:
    monkeypatch.setattr(imap, "MAX_OCTETS", 1_000)
    monkeypatch.setattr(imap, name, most)
    endless = b"* 1 FETCH (UID 1 BODY[]<0> {30000}\r\n%b)\r\n" % (b"x" * 30_000)

    box = collected({b"UID FETCH": endless})

    assert box.left_count == 0
    assert "said no while reading: its answer is too long" in box.last_error


def test_one_mail_that_the_server_does_not_give_out_stops_none_of_those_asked_for_with_it() -> None:
    answers = {
        b"UID SEARCH": b"* SEARCH 1 2\r\n",
        b"UID FETCH 1,2 (RFC822.SIZE": b"* 1 FETCH (UID 1 RFC822.SIZE 5)\r\n* 2 FETCH (UID 2 RFC822.SIZE 5)\r\n",
        b"UID FETCH 1,2": b"* 1 FETCH (UID one)\r\n",
        b"UID FETCH 1 ": MAIL,
        b"UID FETCH 2": b"* 1 FETCH (UID one)\r\n",
    }

    box = collected(answers)

    assert box.left_count == 1
    assert box.last_error.startswith("Mail 2 is not given out by the server")
