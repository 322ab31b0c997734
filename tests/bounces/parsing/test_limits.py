"""Any bytes give a result, in bounded time and memory."""

import base64
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounces.parsing import Report, parse
from bounces.parsing.html import text_of
from bounces.qualification import judge, qualify
from tests.bounces.mails import report
from tests.effort import processor_seconds

PIECES = st.sampled_from(
    [
        b"Content-Type: multipart/report; boundary=b\n", b"Content-Type: multipart/mixed\n", b"\n", b"\r\n", b"--b\n",
        b"--b--\n", b"Content-Type: message/delivery-status\n", b"Content-Type: message/rfc822\n", b"\xff\xfe", b"\0",
        b"Final-Recipient: rfc822; a@b.example\n", b"Action: failed\n", b"Status: 5.1.1\n", b"From: MAILER-DAEMON\n",
        b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n", b"=?utf-8?B?x?=",
        b"Subject: Undelivered\n", b"<a@b.example>: could not be delivered 550 5.1.1 user unknown\n", b"=", b"<!--",
        b"Content-Type: text/html; charset=punycode\n", b"Content-Type: message/feedback-report\n", b"@@@@", b"<b ",
        b"----- Original message -----\n", b"Content-Type: text/plain; charset=utf-7\n", b'{"notificationType":', b" ",
    ]
)  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.binary(max_size=40)), max_size=40).map(b"".join))
@settings(max_examples=400, deadline=2_000)
def test_it_gives_a_report_for_any_bytes(raw: bytes) -> None:
    found = parse(raw)

    assert isinstance(found, Report)
    assert len(judge(found)) == len(found.recipients)


@given(st.text(max_size=3_000), st.text(max_size=12), st.text(max_size=5))
@settings(deadline=2_000)
def test_it_judges_any_text(text: str, status: str, code: str) -> None:
    assert qualify(text, status, code).type in ("hard", "soft", "ignored")


def nested(depth: int) -> bytes:
    inner = b"Content-Type: text/plain\n\nhello\n"
    for level in range(depth):
        mark = b"b%d" % level
        inner = (
            b"Content-Type: multipart/mixed; boundary="
            + mark
            + b"\n\n--"
            + mark
            + b"\n"
            + inner
            + b"\n--"
            + mark
            + b"--\n"
        )
    return inner


def forwarded(depth: int) -> bytes:
    return b"Content-Type: message/rfc822\n\n" * depth + b"Subject: at last\n\nhello\n"


HOSTILE = {
    "nested multiparts": nested(1_000),
    "nested messages": forwarded(1_000),
    "many parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000,
    "many headers": b"X-A: b\n" * 200_000 + b"\nhello",
    "one long header": b"Subject: " + b"a" * 1_000_000 + b"\n\nhello",
    "folds": b"Subject: a" + b"\n  b" * 300_000 + b"\n\nhello",
    "encoded words": b"Subject: " + b"=?utf-8?Q?=41?= " * 60_000 + b"\n\nhello",
    "base64 of nothing": b"Content-Transfer-Encoding: base64\n\n" + base64.b64encode(b"\0" * 700_000),
    "at signs": b"From: MAILER-DAEMON\nSubject: Undelivered\n\nfailed delivery " + b"a@" * 400_000,
    "one long word": b"From: MAILER-DAEMON\nSubject: Undelivered\n\nfailed delivery " + b"a" * 900_000 + b"@b.example",
    "addresses": b"From: MAILER-DAEMON\nSubject: Undelivered\n\nfailed delivery to\n" + b"a@b.example\n" * 80_000,
    "dashes": b"From: MAILER-DAEMON\nSubject: Undelivered\n\nfailed\n" + b"-" * 900_000,
    "rules": b"From: MAILER-DAEMON\nSubject: Undelivered\n\nfailed\n" + (b"-" * 70 + b"\n") * 13_000,
    "blanks": b"From: MAILER-DAEMON\nSubject: Undelivered\n\nfailed" + b" " * 900_000 + b"a@b.example",
    "blank lines": b"From: MAILER-DAEMON\nSubject: Undelivered\n\nfailed" + b"\n" * 900_000 + b"a@b.example",
    "open tags": b"From: MAILER-DAEMON\nContent-Type: text/html\n\n" + b"<a " * 300_000,
    "open comments": b"From: MAILER-DAEMON\nContent-Type: text/html\n\n" + b"<!--" * 200_000,
    "open elements": b"From: MAILER-DAEMON\nContent-Type: text/html\n\n" + b"<style>" * 100_000,
    "recipients": report("Final-Recipient: rfc822; a@b.example\nAction: failed\n\n" * 20_000),
    "fields": report("A-B: c\n" * 100_000),
    "quoted": b"From: MAILER-DAEMON\nSubject: Undelivered\n\nfailed\n" + b"> " * 400_000,
    "json": b"From: a@sns.amazonaws.com\n\n{\"notificationType\":" + b"[" * 500_000,
    "dots": b"From: MAILER-DAEMON\nSubject: Undelivered\n\nfailed a@" + b"b." * 400_000,
    "punycode": b"Content-Type: text/plain; charset=punycode\n\n" + b"a" * 900_000,
    "no words": b"From: MAILER-DAEMON\nSubject: failed\n\nfailed " + b"message " * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_it_reads_hostile_mail_in_bounded_time(name: str) -> None:
    assert processor_seconds(lambda: judge(parse(HOSTILE[name]))) < 2


def test_it_finds_the_headers_of_messages_that_are_quoted_in_quoted_messages() -> None:
    mail = b"Content-Type: message/rfc822\n\n" * 20 + b"Message-ID: <deep@sender.example>\n\nhello\n"

    assert parse(mail).clues.message_ids == ("deep@sender.example",)


def test_it_reads_a_mail_of_100_megabytes_in_bounded_memory() -> None:
    mail = report(
        "Final-Recipient: rfc822; anna@example.com\nAction: failed\nStatus: 5.1.1", original="x" * 100_000_000
    )
    tracemalloc.start()

    found = parse(mail)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [each.address for each in found.recipients] == ["anna@example.com"]
    assert peak < 30_000_000


@given(st.text(alphabet="<>/ abstyle!-&;#@=\"'\n", max_size=400))
def test_it_makes_text_of_any_markup(markup: str) -> None:
    assert isinstance(text_of(markup), str)
