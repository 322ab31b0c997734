"""Mailboxes by IMAP, against a real Dovecot."""

import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from bounces.models import BounceMailbox
from bounces.sources import imap
from bounces.sources.collect import address_of, collect, look
from bounces.sources.imap import ImapSession
from bounces.sources.mailbox import MOST_TRIES, MailboxUnavailable, open_session
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
    return lambda **values: mailbox(dovecot, authority, f"u{uuid.uuid4().hex[:12]}", **values)


def read(box: BounceMailbox) -> BounceMailbox:
    collect(box, now() + timedelta(seconds=30))
    box.refresh_from_db()
    return box


def test_it_leaves_flags_of_foreign_mail_alone(dovecot: Dovecot, make: Make) -> None:
    box = make()
    (message,) = sent.messages(sent.delivered())
    dovecot.put(box.username, FOREIGN, sent.bounce(message), FOREIGN.replace(b"foreign", b"second"))
    before = dovecot.flags(box.username)

    read(box)

    assert before == ["", "", ""]
    assert dovecot.flags(box.username) == ["", ""]
    assert dovecot.subjects(box.username) == ["foreign", "second"]
    assert (box.ours_count, box.left_count, box.set_aside_count, box.last_error) == (1, 2, 0, "")


def test_it_moves_what_is_ours_to_a_folder_that_it_makes(dovecot: Dovecot, make: Make) -> None:
    box = make(ours="move", ours_folder="Done")
    (message,) = sent.messages(sent.delivered())
    dovecot.put(box.username, sent.bounce(message), FOREIGN)

    read(box)

    assert dovecot.subjects(box.username) == ["foreign"]
    assert dovecot.subjects(box.username, "Done") == ["Undelivered Mail Returned to Sender"]


def test_it_marks_what_is_ours_as_read(dovecot: Dovecot, make: Make) -> None:
    box = make(ours="keep")
    (message,) = sent.messages(sent.delivered())
    dovecot.put(box.username, sent.bounce(message), FOREIGN)

    read(box)

    assert dovecot.flags(box.username) == ["\\Seen", ""]


@pytest.mark.parametrize(("ours", "left"), [("move", ["", "\\Deleted"]), ("delete", ["", "\\Deleted"])])
def test_a_server_that_cannot_expunge_single_mails_gets_a_mark_only(
    dovecot: Dovecot, make: Make, monkeypatch: pytest.MonkeyPatch, ours: str, left: list[str]
) -> None:
    box = make(ours=ours, ours_folder="Done")
    (message,) = sent.messages(sent.delivered())
    dovecot.put(box.username, FOREIGN, sent.bounce(message))
    monkeypatch.setattr(IMAPClient, "capabilities", lambda client: (b"IMAP4REV1",))

    read(box)
    read(box)

    assert [flags.replace("\\Seen", "").strip() for flags in dovecot.flags(box.username)] == left
    assert Quarantine.objects.count() == 1


def test_foreign_mail_is_not_read_again(dovecot: Dovecot, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    box = make()
    dovecot.put(box.username, FOREIGN)
    read(box)
    fetched: list[str] = []
    monkeypatch.setattr(ImapSession, "fetch", lambda session, key: fetched.append(key))

    read(box)

    assert fetched == []


def test_other_numbers_begin_from_the_beginning_and_nothing_counts_twice(dovecot: Dovecot, make: Make) -> None:
    box = make(ours="keep")
    (message,) = sent.messages(sent.delivered())
    dovecot.put(box.username, FOREIGN, sent.bounce(message, sent.FULL))
    first = read(box).memory

    dovecot.renumber(box.username)
    read(box)

    assert box.memory["validity"] != first["validity"]
    assert (box.ours_count, box.left_count) == (1, 1)
    assert Quarantine.objects.get().errors == 1


def test_who_dies_between_processing_and_marking_repeats_nothing(
    dovecot: Dovecot, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make()
    (message,) = sent.messages(sent.delivered())
    dovecot.put(box.username, sent.bounce(message, sent.FULL))

    with monkeypatch.context() as patched:
        patched.setattr(ImapSession, "settle", _die)
        with pytest.raises(KeyboardInterrupt):
            collect(box, now() + timedelta(seconds=30))
    assert len(dovecot.subjects(box.username)) == 1
    read(box)

    assert dovecot.subjects(box.username) == []
    assert Quarantine.objects.get().errors == 1
    assert box.ours_count == 1


def _die(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_mail_that_the_server_does_not_give_out_is_tried_again_and_then_left(
    dovecot: Dovecot, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make()
    (message,) = sent.messages(sent.delivered())
    dovecot.put(box.username, FOREIGN, sent.bounce(message))
    fetch = IMAPClient.fetch

    def broken(client: IMAPClient, mails: Any, data: Any, modifiers: Any = None) -> Any:
        if mails == [1]:
            raise IMAPClientError("Internal error")
        return fetch(client, mails, data, modifiers)

    monkeypatch.setattr(IMAPClient, "fetch", broken)
    said = [read(box).last_error for _ in range(MOST_TRIES)]

    assert said[0] == "Mail 1 is not given out by the server: Internal error. It is tried again."
    assert said[-1] == "Mail 1 is not given out by the server: Internal error. It is left where it is."
    assert read(box).last_error == ""
    assert box.ours_count == 1
    assert dovecot.flags(box.username) == [""]


def test_only_the_beginning_of_a_large_mail_is_fetched(
    dovecot: Dovecot, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make()
    monkeypatch.setattr(imap, "MAX_OCTETS", 1_000)
    dovecot.put(box.username, FOREIGN + b"x" * 5_000)

    with open_session(address_of(box), {}) as session:
        (key,) = session.unread()
        letter = session.fetch(key)

    assert letter is not None
    assert len(letter.raw) == 1_000
    assert letter.at is not None
    assert abs((letter.at - now()).total_seconds()) < 60


def test_it_is_told_of_a_new_mail_by_idle(dovecot: Dovecot, make: Make) -> None:
    box = make()
    with open_session(address_of(box), {}) as session:
        assert session.unread() == []
        timer = threading.Timer(0.3, dovecot.put, (box.username, FOREIGN))
        timer.start()

        told = session.wait(20, lambda: False)
        timer.join()

        assert told
        assert len(session.unread()) == 1


def test_waiting_ends_when_somebody_says_so(dovecot: Dovecot, make: Make) -> None:
    with open_session(address_of(make()), {}) as session:
        session.unread()

        assert session.wait(60, lambda: True) is False


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("login", ["password", "xoauth2"])
def test_it_says_what_the_connection_reached(dovecot: Dovecot, make: Make, security: str, login: str) -> None:
    port = dovecot.imaps if security == "tls" else dovecot.imap
    box = make(security=security, port=port, login=login)
    dovecot.put(box.username, FOREIGN)

    assert look(box) == (
        f"The connection to 127.0.0.1:{port} works: logged in as “{box.username}”; TLS 1.3, certificate valid; "
        "INBOX holds 1 mails; it offers IDLE, MOVE, UIDPLUS. No mail was read."
    )


def test_it_says_that_the_password_is_wrong(make: Make) -> None:
    box = make()
    box.password = "wrong"

    with pytest.raises(MailboxUnavailable, match=r"said no while logging in: .*Authentication failed"):
        look(box)


def test_it_never_talks_to_a_server_with_a_certificate_of_somebody_else(make: Make) -> None:
    with pytest.raises(MailboxUnavailable, match="showed a certificate that is not valid for it"):
        look(make(authority_file=""))


def test_it_says_that_nobody_answers(make: Make) -> None:
    box = read(make(port=1))

    assert box.last_error == (
        f"The IMAP server 127.0.0.1:1 refused the connection. Check host and port of the mailbox “{box.name}”."
    )
    assert box.checked_at is not None


def test_a_folder_that_does_not_exist_is_named(make: Make) -> None:
    with pytest.raises(MailboxUnavailable, match=r"while opening the folder Nowhere: .*exist"):
        look(make(folder="Nowhere"))


@pytest.mark.parametrize("values", [{"username": "ada\r\nA1 LOGOUT"}, {"folder": "INBOX\n"}])
def test_nothing_that_is_typed_becomes_a_command(make: Make, values: dict[str, str]) -> None:
    box = make(**values)

    with pytest.raises(MailboxUnavailable, match="hold a control character"):
        look(box)
