"""One mail that came back: what follows, once."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.db import OperationalError, connections
from django.db.models import Sum

from bounces import process as module
from bounces import rules
from bounces.models import BounceMail, MailState
from bounces.parsing import Kind
from bounces.process import Outcome, Processed, again, of_event, of_mail, process, process_all, process_each
from bounces.understanding import Brought
from campaign.lib.clock import now
from campaign.lib.signing import UNSUBSCRIBE_BY_MAIL, return_token
from deliveries.models import Message, Part
from deliveries.rendering.return_path import ReturnPath, unsubscription_mailto
from deliveries.sending.verdict import FailureType, Reason, Verdict
from deliveries.states import MessageState
from recipients import quarantine
from recipients.models import Denylist, Quarantine, QuarantineStatus
from recipients.quarantine import AddressFailure
from tests.bounces import mails, sent
from tests.deliveries.factories import builtin_blocks

pytestmark = pytest.mark.django_db


def test_a_hard_bounce_fails_the_message_and_puts_its_address_in_quarantine() -> None:
    made = sent.delivered(3)
    second = sent.messages(made)[1]

    done = process(sent.bounce(second), source="Test")

    second.refresh_from_db()
    assert done.outcome is Outcome.OURS
    assert done.may_be_removed
    assert (second.state, second.failure_type, second.reason) == (MessageState.FAILED, "hard", Reason.USER_UNKNOWN)
    assert second.reply == "550 5.1.1 <person2@example.org>: Recipient address rejected: User unknown"
    record = Quarantine.objects.get()
    assert (record.address_key, record.status) == ("person2@example.org", QuarantineStatus.QUARANTINE)
    assert (record.reason, record.rule, record.delivery_id) == ("User unknown", "user unknown", made.pk)
    part = Part.objects.get(delivery=made)
    assert (part.sent, part.failed) == (2, 1)


def test_the_same_mail_counts_once() -> None:
    (message,) = sent.messages(sent.delivered())
    raw = sent.bounce(message, sent.FULL)

    first, second = process(raw, source="Mailbox"), process(raw, source="Pipe")

    assert (first.outcome, second.outcome, second.first) == (Outcome.OURS, Outcome.REPEATED, Outcome.OURS)
    assert second.may_be_removed
    assert BounceMail.objects.count() == 1
    assert Quarantine.objects.get().errors == 1


def test_a_soft_bounce_fails_the_message_and_is_counted() -> None:
    (message,) = sent.messages(sent.delivered())

    process(sent.bounce(message, sent.FULL), source="Test")

    message.refresh_from_db()
    record = Quarantine.objects.get()
    assert (message.state, message.failure_type, message.reason) == (
        MessageState.FAILED,
        "soft",
        Reason.MAILBOX_FULL,
    )
    assert (record.status, record.errors, record.returned) == (QuarantineStatus.WITH_ERRORS, 1, True)


def test_a_late_bounce_of_a_finished_delivery_finds_its_message() -> None:
    made = sent.delivered(at=now() - timedelta(days=8))
    (message,) = sent.messages(made)

    assert process(sent.bounce(message), source="Test").outcome is Outcome.OURS

    message.refresh_from_db()
    assert message.state == MessageState.FAILED


def test_a_delay_notice_is_recorded_and_changes_nothing() -> None:
    (message,) = sent.messages(sent.delivered())

    done = process(sent.bounce(message, "451 4.4.1 Connection timed out", action="delayed"), source="Test")

    message.refresh_from_db()
    assert (done.outcome, done.kind) == (Outcome.OURS, Kind.DELAYED)
    assert message.state == MessageState.SENT
    assert not Quarantine.objects.exists()
    assert BounceMail.objects.get().message_ids == [message.pk]


def test_an_automatic_reply_is_ignored() -> None:
    (message,) = sent.messages(sent.delivered())
    raw = (
        f"From: {message.address}\nTo: {sent.return_path(message)}\nSubject: Out of office: News\n"
        "Auto-Submitted: auto-replied\n\nI am away until Monday.\n"
    ).encode()

    done = process(raw, source="Test")

    message.refresh_from_db()
    assert (done.outcome, done.kind) == (Outcome.OURS, Kind.VACATION)
    assert message.state == MessageState.SENT
    assert not Quarantine.objects.exists()


def test_a_complaint_denylists_the_person_and_the_address_though_the_report_hides_them() -> None:
    (message,) = sent.messages(sent.delivered())

    done = process(sent.complaint(message), source="Test")

    message.refresh_from_db()
    assert (done.outcome, done.kind) == (Outcome.OURS, Kind.FEEDBACK)
    assert message.state == MessageState.SENT
    assert Denylist.objects.get().recipient.address == message.address
    assert Quarantine.objects.get().status == QuarantineStatus.DENYLISTED


def test_what_is_not_ours_is_left_alone_and_not_kept() -> None:
    sent.delivered()

    done = process(mails.report("Final-Recipient: rfc822; person1@example.org\nStatus: 5.1.1"), source="Test")

    kept = BounceMail.objects.get()
    assert done.outcome is Outcome.NOT_OURS
    assert not done.may_be_removed
    assert (bytes(kept.raw), kept.findings) == (b"", [])
    assert not Quarantine.objects.exists()


def test_a_forged_return_path_puts_nobody_in_quarantine() -> None:
    (message,) = sent.messages(sent.delivered())
    local, _, domain = sent.return_path(message).rpartition("@")
    forged = f"{local[:-1]}{'a' if local[-1] != 'a' else 'b'}@{domain}"

    done = process(sent.bounce(message, to=forged, original=b"Subject: x\n\nx\n"), source="Test")

    assert done.outcome is Outcome.NOT_OURS
    assert not Quarantine.objects.exists()


def test_of_several_recipients_the_one_that_the_message_went_to_counts() -> None:
    (message,) = sent.messages(sent.delivered())
    others = (
        "Final-Recipient: rfc822; other@example.net\nAction: failed\nStatus: 4.2.2\nDiagnostic-Code: smtp; 452 full"
    )

    process(sent.bounce(message, fields=f"\n{others}\n"), source="Test")

    message.refresh_from_db()
    assert (message.failure_type, message.reason) == ("hard", Reason.USER_UNKNOWN)
    assert [record.address_key for record in Quarantine.objects.all()] == [message.address]


def test_a_bounce_from_where_it_was_forwarded_to_counts_for_our_address() -> None:
    (message,) = sent.messages(sent.delivered())

    process(sent.bounce(message, address="private@example.net"), source="Test")

    assert Quarantine.objects.get().address_key == message.address


def test_a_poison_mail_is_set_aside_with_its_sentence_and_can_be_tried_again(monkeypatch) -> None:
    (message,) = sent.messages(sent.delivered())
    raw = sent.bounce(message)

    def broken(_raw: bytes) -> None:
        raise ValueError("a bad \0 byte")

    with monkeypatch.context() as patched:
        patched.setattr(module, "parse", broken)
        done = process(raw, source="Test")
    kept = BounceMail.objects.get()

    assert done.outcome is Outcome.SET_ASIDE
    assert (kept.state, bytes(kept.raw)) == (MailState.SET_ASIDE, raw)
    assert "ValueError" in kept.sentence
    assert process(raw, source="Test").first is Outcome.SET_ASIDE
    assert again(kept).outcome is Outcome.OURS
    assert Quarantine.objects.get().address_key == message.address


def test_a_failure_in_the_middle_leaves_nothing_half_done(monkeypatch) -> None:
    (message,) = sent.messages(sent.delivered())

    def broken(*_: object, **__: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr(quarantine, "note", broken)

    assert process(sent.bounce(message), source="Test").outcome is Outcome.SET_ASIDE
    message.refresh_from_db()
    assert message.state == MessageState.SENT


def test_without_a_database_it_says_so_and_nothing_is_lost(monkeypatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(module, "understand", away)

    with pytest.raises(OperationalError):
        process(b"x", source="Test")
    assert not BounceMail.objects.exists()


@pytest.mark.parametrize("raw", [b"", b"\0" * 100, b"\xff\xfe\r\n\r\n", b"To: a\0b@c.d\nSubject: \xed\xa0\x80\n\n\0"])
def test_any_bytes_give_a_result(raw: bytes) -> None:
    assert process(raw, source="Te\0st", envelope_to="a\0@b").outcome is Outcome.NOT_OURS


def test_an_event_of_a_provider_takes_the_same_path() -> None:
    (message,) = sent.messages(sent.delivered())
    name = str(sent.header(message)["Message-ID"])

    def once() -> Processed:
        event = of_event(
            source="Provider",
            event_id="1",
            kind=Kind.BOUNCE,
            address="Person1@Example.org",
            message_id=name,
            text="550 5.1.1 user unknown",
        )
        return process_all([event])[0]

    assert once().outcome is Outcome.OURS
    done = once()

    message.refresh_from_db()
    assert (done.outcome, done.first) == (Outcome.REPEATED, Outcome.OURS)
    assert (message.state, message.reason) == (MessageState.FAILED, Reason.USER_UNKNOWN)
    assert Quarantine.objects.get().status == QuarantineStatus.QUARANTINE


def test_a_providers_own_opinion_counts_where_the_rules_have_none() -> None:
    (message,) = sent.messages(sent.delivered())

    event = of_event(
        source="Provider",
        event_id="1",
        kind=Kind.BOUNCE,
        address=message.address,
        return_path=sent.return_path(message),
        text="something strange",
        otherwise=Verdict(FailureType.HARD, Reason.ACCOUNT_DISABLED, "Provider"),
    )
    process_all([event])

    message.refresh_from_db()
    assert (message.failure_type, message.reason) == ("hard", Reason.ACCOUNT_DISABLED)


def brought(messages: Iterable[Message], words: str = sent.GONE) -> list[Brought]:
    return [of_mail(sent.bounce(message, words), source="Test") for message in messages]


@pytest.mark.parametrize("count", [1, 30])
def test_many_mails_cost_the_same_queries_as_one(django_assert_num_queries: Any, count: int) -> None:
    """Beside one that keeps the mails, which a cursor of its own sends in binary form."""
    made = sent.delivered(30, part_size=7)
    given = brought(sent.messages(made)[:count])
    rules.current()  # known from now on, for some seconds

    with django_assert_num_queries(8):  # two of them a savepoint: a transaction surrounds the test
        results = process_all(given)

    assert [each.outcome for each in results] == [Outcome.OURS] * count
    assert Quarantine.objects.filter(status=QuarantineStatus.QUARANTINE).count() == count


def test_mails_brought_together_are_counted_in_every_part() -> None:
    made = sent.delivered(20, part_size=6)
    messages = sent.messages(made)

    process_all(brought([*messages[4:8], messages[19]]))

    counters = Part.objects.filter(delivery=made).order_by("first_id").values_list("size", "sent", "failed")
    assert list(counters) == [(6, 4, 2), (6, 4, 2), (6, 6, 0), (2, 1, 1)]


def test_the_results_come_in_the_order_of_the_mails_each_beside_its_name() -> None:
    one, two, three = sent.messages(sent.delivered(3))
    process(sent.bounce(two), source="Test")
    given = brought([three, two, one])
    given = [*given[:2], of_mail(b"Subject: x\n\nx\n", source="Test"), given[2], given[0]]

    results = list(process_each(zip("abcde", given, strict=True)))

    assert [(name, done.outcome.value, done.first.value) for name, done in results] == [
        ("a", "ours", "ours"),
        ("b", "repeated", "ours"),
        ("c", "not ours", "not ours"),
        ("d", "ours", "ours"),
        ("e", "repeated", "ours"),
    ]
    assert BounceMail.objects.count() == 4


def test_one_poison_mail_among_many_is_alone_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = sent.messages(sent.delivered(12))
    count = quarantine.note

    def broken(failures: Iterable[AddressFailure]) -> None:
        failures = list(failures)
        if any(failure.address == messages[4].address for failure in failures):
            raise ValueError("no")
        count(failures)

    monkeypatch.setattr(quarantine, "note", broken)

    results = process_all(brought(messages))

    assert [place for place, done in enumerate(results) if done.outcome is Outcome.SET_ASIDE] == [4]
    assert Message.objects.filter(state=MessageState.FAILED).count() == 11
    assert Quarantine.objects.count() == 11


def test_what_was_brought_before_the_source_broke_is_processed() -> None:
    messages = sent.messages(sent.delivered(3))

    def source() -> Iterator[tuple[None, Brought]]:
        for each in brought(messages[:2]):
            yield None, each
        raise ConnectionError

    with pytest.raises(ConnectionError):
        list(process_each(source()))

    assert Quarantine.objects.count() == 2


def test_wishes_among_bounces_are_followed_each_in_a_transaction_of_its_own() -> None:
    one, two, three = sent.messages(sent.delivered(3))
    given = [*brought([one]), of_mail(sent.complaint(two), source="Test"), *brought([three])]

    results = process_all(given)

    assert [done.outcome for done in results] == [Outcome.OURS] * 3
    assert Denylist.objects.get().recipient_id == two.recipient_id
    assert Quarantine.objects.count() == 3


def test_a_mail_that_comes_again_after_it_was_purged_counts_no_second_time() -> None:
    (message,) = sent.messages(sent.delivered())
    raw = sent.bounce(message, sent.FULL)
    process(raw, source="Test", at=now() - timedelta(days=40))
    BounceMail.objects.all().delete()

    process(raw, source="Test")

    assert Quarantine.objects.get().errors == 1


def test_another_failure_of_a_message_that_failed_counts() -> None:
    (message,) = sent.messages(sent.delivered())
    process(sent.bounce(message, sent.FULL), source="Test")

    process(sent.bounce(message), source="Test")

    assert Quarantine.objects.get().status == QuarantineStatus.QUARANTINE


@pytest.mark.django_db(transaction=True)
def test_several_that_handle_bounces_of_the_same_parts_at_once_count_each_once_and_wait_for_nobody_crosswise() -> None:
    builtin_blocks()
    made = sent.delivered(40, part_size=7)
    given = brought(sent.messages(made))
    orders = [given, given[::-1], given[::2] + given[1::2], given[20:] + given[:20]]
    results: list[Outcome] = []

    def one(order: list[Brought]) -> None:
        try:
            for start in range(0, len(order), 10):
                results.extend(done.outcome for done in process_all(order[start : start + 10]))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=[order]) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert Counter(results) == {Outcome.OURS: 40, Outcome.REPEATED: 120}
    assert Part.objects.filter(delivery=made).aggregate(Sum("sent"), Sum("failed")) == {
        "sent__sum": 0,
        "failed__sum": 40,
    }
    assert set(Quarantine.objects.values_list("errors", flat=True)) == {1}


@pytest.mark.django_db(transaction=True)
def test_the_same_mail_at_the_same_time_counts_once() -> None:
    builtin_blocks()
    (message,) = sent.messages(sent.delivered())
    raw = sent.bounce(message, sent.FULL)
    results: list[Outcome] = []

    def one() -> None:
        try:
            results.append(process(raw, source="Test").outcome)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(results) == [Outcome.OURS, *[Outcome.REPEATED] * 3]
    assert Quarantine.objects.get().errors == 1
    assert Message.objects.get().state == MessageState.FAILED


@pytest.mark.parametrize("form", list(ReturnPath))
def test_a_mail_to_the_address_for_unsubscriptions_unsubscribes_once(form: ReturnPath) -> None:
    message = sent.messages(sent.delivered(2))[0]
    own = return_token(message.pk, bytes(message.content.key), UNSUBSCRIBE_BY_MAIL)
    uri = urlsplit(unsubscription_mailto("bounces@example.com", form, own))
    subject = unquote(uri.query.removeprefix("subject="))
    raw = f"From: stranger@example.net\r\nTo: {uri.path}\r\nSubject: {subject}\r\n\r\n".encode()

    done = process(raw, source="Test")

    assert done.outcome is Outcome.OURS
    assert done.sentence == f"{message.address} unsubscribed by mail."
    assert process(raw, source="Test").outcome is Outcome.REPEATED
    assert Denylist.objects.get().recipient_id == message.recipient_id
    assert bytes(BounceMail.objects.get().raw) == b""
