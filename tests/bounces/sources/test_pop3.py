"""Mailboxes by POP3, against a real Dovecot. What every protocol does is in ``test_mailbox.py``."""

import functools

import pytest

from bounces.sources.collect import address_of
from bounces.sources.mailbox import open_session
from tests.bounces.sources.ways import FOREIGN, Make, read
from tests.dovecot import Dovecot

pytestmark = pytest.mark.django_db


@pytest.fixture
def make(make: Make) -> Make:
    return functools.partial(make, protocol="pop3")


def test_it_forgets_what_is_no_longer_on_the_server(dovecot: Dovecot, make: Make) -> None:
    box = make()
    box.memory = {"seen": ["gone"], "again": {"gone": 2}}
    box.save()
    dovecot.put(box.username, FOREIGN)

    read(box)

    assert len(box.memory["seen"]) == 1
    assert "gone" not in box.memory["seen"]
    assert box.memory["again"] == {}


def test_lines_of_any_length_and_dots_come_as_they_are(dovecot: Dovecot, make: Make) -> None:
    box = make()
    body = b"x" * 200_000 + b"\n.\n..two\n" + b"." * 70_000 + b"\nend\n"
    dovecot.put(box.username, FOREIGN + body)

    with open_session(address_of(box), {}) as session:
        (key,) = session.unread()
        letter = session.fetch(key)

    assert letter is not None
    assert letter.raw.replace(b"\r\n", b"\n") == FOREIGN + body
