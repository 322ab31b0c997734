"""Mails that come back, written for the tests: one way to build each shape."""

from textwrap import dedent

SENDER = "bounces+token@news.sender.example"


def notice(
    text: str,
    *,
    subject: str = "Undelivered Mail Returned to Sender",
    sender: str = "MAILER-DAEMON@mx.relay.example",
    return_path: str = "",
    more: str = "",
) -> bytes:
    """A notice in plain text, as a server writes it to our return path; `more` header lines end with a line feed."""
    return (
        f"Return-Path: <{return_path}>\n{more}From: Mail Delivery Subsystem <{sender}>\nTo: {SENDER}\n"
        f"Subject: {subject}\n"
        f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{dedent(text).strip()}\n"
    ).encode()


ORIGINAL = dedent(
    f"""\
    Return-Path: <{SENDER}>
    Received: from out.sender.example by mx.relay.example; Mon, 1 Jun 2026 10:00:00 +0000
    From: News <news@sender.example>
    To: anna@example.com
    Subject: Our spring offer
    Message-ID: <1.2.3@sender.example>
    X-Campaign: 42

    Good morning!
    """
)


def report(fields: str, *, text: str = "Your message could not be delivered.", original: str = ORIGINAL) -> bytes:
    """A delivery status notification with these per-recipient fields."""
    return (
        f"Return-Path: <>\nFrom: MAILER-DAEMON@mx.relay.example\nTo: {SENDER}\nSubject: Delivery Status Notification\n"
        'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="=b1"\n\n'
        f"--=b1\nContent-Type: text/plain\n\n{text}\n"
        "--=b1\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.relay.example\n"
        f"Original-Envelope-Id: m-77\n\n{dedent(fields).strip()}\n\n"
        f"--=b1\nContent-Type: message/rfc822\n\n{original}\n--=b1--\n"
    ).encode()
