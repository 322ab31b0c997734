"""What a mailbox promises, whatever protocol its server speaks: against a real Dovecot."""

import functools
from datetime import timedelta
from typing import Any

import pytest

from bounces.sources import imap, pop3
from bounces.sources.collect import address_of, collect, look
from bounces.sources.imap import ImapSession
from bounces.sources.mailbox import MailboxUnavailable, Session, open_session
from bounces.sources.pop3 import Pop3Session
from campaign.lib.clock import now
from recipients.models import Quarantine
from tests.bounces import sent
from tests.bounces.sources.ways import FOREIGN, Make, read
from tests.dovecot import Dovecot

pytestmark = pytest.mark.django_db

HOLDS = {
    "imap": "INBOX holds 1 mails; it offers IDLE, MOVE, UIDPLUS",
    "pop3": "the mailbox holds 1 mails; it offers TOP",
}
SESSIONS: dict[str, type[Session]] = {"imap": ImapSession, "pop3": Pop3Session}


@pytest.fixture(params=HOLDS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(make: Make, protocol: str) -> Make:
    return functools.partial(make, protocol=protocol)


def test_it_deletes_what_is_ours_and_leaves_foreign_mail_unread(dovecot: Dovecot, make: Make) -> None:
    box = make()
    (message,) = sent.messages(sent.delivered())
    dovecot.put(box.username, FOREIGN, sent.bounce(message), FOREIGN.replace(b"foreign", b"second"))
    before = dovecot.flags(box.username)

    read(box)

    assert before == ["", "", ""]
    assert dovecot.flags(box.username) == ["", ""]
    assert dovecot.subjects(box.username) == ["foreign", "second"]
    assert (box.ours_count, box.left_count, box.set_aside_count, box.last_error) == (1, 2, 0, "")


def test_what_was_read_and_stays_is_not_read_again(
    dovecot: Dovecot, make: Make, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make(ours="keep")
    (message,) = sent.messages(sent.delivered())
    dovecot.put(box.username, FOREIGN, sent.bounce(message))
    read(box)
    fetched: list[str] = []
    monkeypatch.setattr(SESSIONS[protocol], "fetch", lambda session, key: fetched.append(key))

    read(box)

    assert fetched == []
    assert len(dovecot.subjects(box.username)) == 2


@pytest.mark.parametrize(
    ("protocol", "step"),
    [("imap", "settle"), ("pop3", "settle"), ("pop3", "close")],  # POP3 deletes when the session ends in order
)
def test_who_dies_between_processing_and_deleting_deletes_nothing_and_repeats_nothing(
    dovecot: Dovecot, make: Make, protocol: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make()
    (message,) = sent.messages(sent.delivered())
    dovecot.put(box.username, sent.bounce(message, sent.FULL))

    with monkeypatch.context() as patched:
        patched.setattr(SESSIONS[protocol], step, _die)
        with pytest.raises(KeyboardInterrupt):
            collect(box, now() + timedelta(seconds=30))
    assert len(dovecot.subjects(box.username)) == 1
    read(box)

    assert dovecot.subjects(box.username) == []
    assert Quarantine.objects.get().errors == 1
    assert box.ours_count == 1


def _die(*_: Any) -> None:
    raise KeyboardInterrupt


def test_only_the_beginning_of_a_large_mail_is_kept_and_the_next_one_comes(
    dovecot: Dovecot, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make()
    for module in (imap, pop3):
        monkeypatch.setattr(module, "MAX_OCTETS", 1_000)
    dovecot.put(box.username, FOREIGN + b"x\n" * 50_000, FOREIGN)

    with open_session(address_of(box), {}) as session:
        letters = [session.fetch(key) for key in session.unread()]

    assert [letter is not None and len(letter.raw) for letter in letters] == [
        1_000,
        len(FOREIGN) + FOREIGN.count(b"\n"),
    ]


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("login", ["password", "xoauth2", "oauthbearer"])
def test_it_says_what_the_connection_reached(
    dovecot: Dovecot, make: Make, protocol: str, security: str, login: str
) -> None:
    box = make(security=security, login=login)
    dovecot.put(box.username, FOREIGN)

    assert look(box) == (
        f"The connection to 127.0.0.1:{dovecot.port(protocol, security)} works: logged in as “{box.username}”; "
        f"TLS 1.3, certificate valid; {HOLDS[protocol]}. No mail was read."
    )


def test_it_says_that_the_password_is_wrong(make: Make) -> None:
    box = make()
    box.password = "wrong"

    with pytest.raises(MailboxUnavailable, match=r"said no while logging in: .*Authentication failed"):
        look(box)


def test_it_never_talks_to_a_server_with_a_certificate_of_somebody_else(make: Make) -> None:
    with pytest.raises(MailboxUnavailable, match="showed a certificate that is not valid for it"):
        look(make(authority_file=""))


def test_it_says_that_nobody_answers(make: Make, protocol: str) -> None:
    box = read(make(port=1))

    assert box.last_error == (
        f"The {protocol.upper()} server 127.0.0.1:1 refused the connection. "
        f"Check host and port of the mailbox “{box.name}”."
    )
    assert box.checked_at is not None


@pytest.mark.parametrize("values", [{"username": "ada\r\nA1 LOGOUT"}, {"folder": "INBOX\n"}])
def test_nothing_that_is_typed_becomes_a_command(make: Make, values: dict[str, str]) -> None:
    box = make(**values)

    with pytest.raises(MailboxUnavailable, match="hold a control character"):
        look(box)
