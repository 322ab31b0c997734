"""Mails made ahead, from real rows."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from campaign.lib.clock import now
from deliveries.mail import Mail
from deliveries.models import Attachment
from deliveries.rendering.merge import MessageError
from deliveries.rows import pending_rows, renderer
from deliveries.sending import ahead, parts
from deliveries.sending.ahead import Ahead
from deliveries.sending.turns import TOGETHER, Entry
from tests.deliveries import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def entries() -> list[Entry]:
    """The rows of twenty messages that may be sent."""
    factories.confirmed(factories.delivery(factories.people(20)))
    part = parts.claim("somebody", now())
    assert part is not None
    return list(pending_rows(part))


def unusable(entry: Entry) -> Entry:
    """The row of a message whose personal values were deleted."""
    content_id, row = entry
    return content_id, replace(row, values=[])


def numbers(entries: list[Entry]) -> list[int]:
    return [row.id for _, row in entries]


def test_every_message_comes_once_in_order_as_if_it_were_made_alone(entries: list[Entry]):
    made = list(Ahead(iter([entries[:TOGETHER], entries[TOGETHER:]])))

    assert [number for number, _ in made] == numbers(entries)
    assert [mail for _, mail in made] == [renderer(content_id).mail(row) for content_id, row in entries]


def test_one_that_cannot_be_made_says_why_and_the_others_are_made(entries: list[Entry]):
    made = dict(Ahead(iter([[entries[0], unusable(entries[1]), entries[2]], [unusable(entries[3])]])))

    assert sorted(made) == numbers(entries[:4])
    assert [isinstance(made[number], MessageError) for number in numbers(entries[:4])] == [False, True, False, True]
    assert "personal values" in str(made[entries[1][1].id])


def test_it_makes_no_more_than_the_next_few(entries: list[Entry]):
    waiting = Ahead(iter([[entry] for entry in entries]))

    steps = 0
    while waiting.make_more():
        steps += 1

    assert steps == 2 * TOGETHER  # each is written, then signed
    assert len(list(waiting)) == len(entries)


def test_it_keeps_few_large_mails(entries: list[Entry], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ahead, "MOST_OCTETS", 2 * renderer(entries[0][0]).draft(entries[0][1]).octets + 100)
    waiting = Ahead(iter([entries]))

    steps = 0
    while waiting.make_more():
        steps += 1

    assert steps == 4  # two are written, then two are signed
    assert len(list(waiting)) == len(entries)


def test_it_keeps_as_many_mails_with_a_large_file_because_they_share_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ahead, "MOST_OCTETS", 100_000)
    delivery = factories.delivery(factories.people(TOGETHER))
    file = Attachment.objects.create(name="a.pdf", content_type="application/pdf", data=bytes(200_000), size=200_000)
    delivery.attachments.add(file)
    factories.confirmed(delivery)
    part = parts.claim("somebody", now())
    assert part is not None
    waiting = Ahead(iter([list(pending_rows(part))]))

    while waiting.make_more():
        pass

    made = [mail for _, mail in waiting if isinstance(mail, Mail)]
    assert len(made) == TOGETHER
    assert len({id(piece) for mail in made for piece in mail.pieces if len(piece) > 200_000}) == 1


def test_a_mail_that_is_larger_than_that_is_made_when_it_is_asked_for(
    entries: list[Entry], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ahead, "MOST_OCTETS", 100)
    waiting = Ahead(iter([entries[:8], entries[8:9], entries[9:]]))

    made = [next(waiting)[0] for _ in range(4)]

    assert not waiting.make_more()
    assert [*made, *(number for number, _ in waiting)] == numbers(entries)


def test_what_goes_wrong_is_told_after_what_was_made_before(entries: list[Entry]):
    def breaking() -> Iterator[list[Entry]]:
        yield entries[:2]
        raise ConnectionError("the database is gone")

    waiting = Ahead(breaking())
    while waiting.make_more():
        pass

    assert [type(next(waiting)[1]) for _ in range(2)] == [Mail, Mail]
    with pytest.raises(ConnectionError):
        next(waiting)
