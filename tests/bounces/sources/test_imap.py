"""Mailboxes by IMAP, against a real Dovecot. What every protocol does is in ``test_mailbox.py``."""

import threading
from typing import Any

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from bounces.sources.collect import address_of, look
from bounces.sources.mailbox import MOST_TRIES, MailboxUnavailable, open_session
from campaign.lib.clock import now
from recipients.models import Quarantine
from tests.bounces import sent
from tests.bounces.sources.ways import FOREIGN, Make, read
from tests.dovecot import Dovecot

pytestmark = pytest.mark.django_db


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


def test_a_mail_that_the_server_does_not_give_out_is_tried_again_and_then_left(
    dovecot: Dovecot, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make()
    (message,) = sent.messages(sent.delivered())
    dovecot.put(box.username, FOREIGN, sent.bounce(message))
    fetch = IMAPClient.fetch

    def broken(client: IMAPClient, mails: Any, data: Any, modifiers: Any = None) -> Any:
        if 1 in mails:
            raise IMAPClientError("Internal error")
        return fetch(client, mails, data, modifiers)

    monkeypatch.setattr(IMAPClient, "fetch", broken)
    said = [read(box).last_error for _ in range(MOST_TRIES)]

    assert said[0] == "Mail 1 is not given out by the server: Internal error. It is tried again."
    assert said[-1] == "Mail 1 is not given out by the server: Internal error. It is left where it is."
    assert read(box).last_error == ""
    assert box.ours_count == 1
    assert dovecot.flags(box.username) == [""]


def test_it_says_when_a_mail_arrived(dovecot: Dovecot, make: Make) -> None:
    box = make()
    dovecot.put(box.username, FOREIGN)

    with open_session(address_of(box), {}) as session:
        (key,) = session.unread()
        letter = session.fetch(key)

    assert letter is not None
    assert letter.at is not None
    assert abs((letter.at - now()).total_seconds()) < 60


def test_it_is_told_of_a_new_mail_by_idle(dovecot: Dovecot, make: Make) -> None:
    box = make()
    with open_session(address_of(box), {}) as session:
        assert session.unread() == []
        timer = threading.Timer(0.3, dovecot.put, (box.username, FOREIGN))
        timer.start()

        told = session.wait(60, lambda: False)
        timer.join()

        assert told
        assert len(session.unread()) == 1


def test_waiting_ends_when_somebody_says_so(dovecot: Dovecot, make: Make) -> None:
    with open_session(address_of(make()), {}) as session:
        session.unread()

        assert session.wait(60, lambda: True) is False


def test_a_folder_that_does_not_exist_is_named(make: Make) -> None:
    with pytest.raises(MailboxUnavailable, match=r"while opening the folder Nowhere: .*exist"):
        look(make(folder="Nowhere"))


def test_mails_are_fetched_together_however_far_away_the_server_is(
    dovecot: Dovecot, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make(ours="keep")
    messages = sent.messages(sent.delivered(12))
    dovecot.put(box.username, *[sent.bounce(message) for message in messages])
    asked: list[list[int]] = []
    fetch = IMAPClient.fetch

    def counted(client: IMAPClient, uids: list[int], *rest: Any) -> Any:
        asked.append(uids)
        return fetch(client, uids, *rest)

    monkeypatch.setattr(IMAPClient, "fetch", counted)

    read(box)

    assert [len(uids) for uids in asked] == [12, 12]  # how long they are, then all of them
    assert Quarantine.objects.count() == 12
