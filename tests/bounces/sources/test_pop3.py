"""Mailboxes by POP3, against a real Dovecot."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bounces.models import BounceMailbox
from bounces.sources import pop3
from bounces.sources.collect import address_of, collect, look
from bounces.sources.mailbox import MailboxUnavailable, open_session
from bounces.sources.pop3 import Pop3Session
from campaign.lib.clock import now
from recipients.models import Quarantine
from tests.bounces import sent
from tests.bounces.sources.ways import FOREIGN, mailbox
from tests.deliveries.sending.certificates import Authority
from tests.dovecot import Dovecot

pytestmark = pytest.mark.django_db
Make = Callable[..., BounceMailbox]


@pytest.fixture
def make(dovecot: Dovecot, authority: Authority) -> Make:
    """A mailbox of somebody nobody knew before."""

    def made(**values: Any) -> BounceMailbox:
        defaults = {"protocol": "pop3", "port": dovecot.pop3s}
        return mailbox(dovecot, authority, f"u{uuid.uuid4().hex[:12]}", **{**defaults, **values})

    return made


def read(box: BounceMailbox) -> BounceMailbox:
    collect(box, now() + timedelta(seconds=30))
    box.refresh_from_db()
    return box


def test_it_deletes_what_is_ours_and_leaves_the_rest_unread(dovecot: Dovecot, make: Make) -> None:
    box = make()
    (message,) = sent.messages(sent.delivered())
    dovecot.put(box.username, FOREIGN, sent.bounce(message))

    read(box)

    assert dovecot.subjects(box.username) == ["foreign"]
    assert dovecot.flags(box.username) == [""]
    assert len(box.memory["seen"]) == 1


def test_foreign_mail_is_not_read_again(dovecot: Dovecot, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    box = make(ours="keep")
    (message,) = sent.messages(sent.delivered())
    dovecot.put(box.username, FOREIGN, sent.bounce(message))
    read(box)
    fetched: list[str] = []
    monkeypatch.setattr(Pop3Session, "fetch", lambda session, key: fetched.append(key))

    read(box)

    assert fetched == []
    assert len(dovecot.subjects(box.username)) == 2


def test_it_forgets_what_is_no_longer_on_the_server(dovecot: Dovecot, make: Make) -> None:
    box = make()
    box.memory = {"seen": ["gone"], "again": {"gone": 2}}
    box.save()
    dovecot.put(box.username, FOREIGN)

    read(box)

    assert "gone" not in box.memory["seen"]
    assert box.memory["again"] == {}


def test_a_session_that_ends_without_quit_deletes_nothing_and_nothing_counts_twice(
    dovecot: Dovecot, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make()
    (message,) = sent.messages(sent.delivered())
    dovecot.put(box.username, sent.bounce(message, sent.FULL))

    with monkeypatch.context() as patched:
        patched.setattr(Pop3Session, "close", _die)
        with pytest.raises(KeyboardInterrupt):
            collect(box, now() + timedelta(seconds=30))
    assert len(dovecot.subjects(box.username)) == 1
    read(box)

    assert dovecot.subjects(box.username) == []
    assert Quarantine.objects.get().errors == 1


def _die(*_: Any) -> None:
    raise KeyboardInterrupt


def test_lines_of_any_length_and_dots_come_as_they_are(dovecot: Dovecot, make: Make) -> None:
    box = make()
    body = b"x" * 200_000 + b"\n.\n..two\n" + b"." * 70_000 + b"\nend\n"
    dovecot.put(box.username, FOREIGN + body)

    with open_session(address_of(box), {}) as session:
        (key,) = session.unread()
        letter = session.fetch(key)

    assert letter is not None
    assert letter.raw.replace(b"\r\n", b"\n") == FOREIGN + body


def test_only_the_beginning_of_a_large_mail_is_kept_and_the_next_one_comes(
    dovecot: Dovecot, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make()
    monkeypatch.setattr(pop3, "MAX_OCTETS", 1_000)
    dovecot.put(box.username, FOREIGN + b"x\n" * 50_000, FOREIGN)

    with open_session(address_of(box), {}) as session:
        letters = [session.fetch(key) for key in session.unread()]

    assert [letter is not None and len(letter.raw) for letter in letters] == [
        1_000,
        len(FOREIGN) + FOREIGN.count(b"\n"),
    ]


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("login", ["password", "xoauth2"])
def test_it_says_what_the_connection_reached(dovecot: Dovecot, make: Make, security: str, login: str) -> None:
    port = dovecot.pop3s if security == "tls" else dovecot.pop3
    box = make(security=security, port=port, login=login)
    dovecot.put(box.username, FOREIGN)

    assert look(box) == (
        f"The connection to 127.0.0.1:{port} works: logged in as “{box.username}”; TLS 1.3, certificate valid; "
        "the mailbox holds 1 mails; it offers TOP. No mail was read."
    )


def test_it_says_that_the_password_is_wrong(make: Make) -> None:
    box = make()
    box.password = "wrong"

    with pytest.raises(MailboxUnavailable, match=r"said no while logging in: .*Authentication failed"):
        look(box)


def test_it_never_talks_to_a_server_with_a_certificate_of_somebody_else(make: Make) -> None:
    with pytest.raises(MailboxUnavailable, match="showed a certificate that is not valid for it"):
        look(make(authority_file=""))
