"""Delivery status notifications (RFC 3464)."""

import pytest

from bounces.parsing import Action, Kind, parse
from tests.bounces.mails import SENDER, report


def test_it_reads_every_field_of_a_failed_recipient() -> None:
    found = parse(
        report(
            """
            Original-Recipient: rfc822; anna.old@example.com
            Final-Recipient: rfc822; anna@example.com
            Action: failed
            Status: 5.1.1
            Remote-MTA: dns; mx.example.com
            Diagnostic-Code: smtp; 550 5.1.1 <anna@example.com>:
              Recipient address rejected: User unknown
            """
        )
    )

    assert found.kind is Kind.BOUNCE
    (anna,) = found.recipients
    assert (anna.address, anna.original) == ("anna@example.com", "anna.old@example.com")
    assert (anna.action, anna.status, anna.reply_code, anna.remote) == (Action.FAILED, "5.1.1", "550", "mx.example.com")
    assert anna.diagnostic == "550 5.1.1 <anna@example.com>: Recipient address rejected: User unknown"


def test_it_says_whose_message_it_is() -> None:
    clues = parse(report("Final-Recipient: rfc822; anna@example.com\nAction: failed\nStatus: 5.0.0")).clues

    assert clues.return_addresses[0] == SENDER
    assert clues.envelope_ids == ("m-77",)
    assert clues.message_ids == ("1.2.3@sender.example",)
    assert ("x-campaign", "42") in clues.headers


def test_it_tells_the_recipients_of_one_report_apart() -> None:
    found = parse(
        report(
            """
            Final-Recipient: rfc822; anna@example.com
            Action: failed
            Status: 5.1.1

            Final-Recipient: rfc822; bert@example.com
            Action: delivered
            Status: 2.0.0

            Final-Recipient: rfc822; carl@example.com
            Action: delayed
            Status: 4.4.1
            """
        )
    )

    assert found.kind is Kind.BOUNCE
    assert [(each.address, each.action) for each in found.recipients] == [
        ("anna@example.com", Action.FAILED),
        ("bert@example.com", Action.DELIVERED),
        ("carl@example.com", Action.DELAYED),
    ]


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("failed", Kind.BOUNCE),
        ("Failed (permanent)", Kind.BOUNCE),
        ("delayed", Kind.DELAYED),
        ("delivered", Kind.OTHER),
        ("relayed", Kind.OTHER),
        ("expanded", Kind.OTHER),
    ],
)
def test_it_is_what_its_action_says(action: str, kind: Kind) -> None:
    assert parse(report(f"Final-Recipient: rfc822; anna@example.com\nAction: {action}\nStatus: 4.4.7")).kind is kind


def test_it_bears_blank_lines_between_the_fields_of_one_recipient() -> None:
    found = parse(report("Final-Recipient: rfc822; anna@example.com\n\nAction: failed\n\nStatus: 5.2.2"))

    assert [(each.address, each.status) for each in found.recipients] == [("anna@example.com", "5.2.2")]


def test_it_bears_recipients_without_a_blank_line_between() -> None:
    fields = "".join(f"Final-Recipient: rfc822; {name}@example.com\nAction: failed\n" for name in ("anna", "bert"))

    assert [each.address for each in parse(report(fields)).recipients] == ["anna@example.com", "bert@example.com"]


@pytest.mark.parametrize(
    "recipient",
    [
        "rfc822; <anna@example.com>",
        "RFC822;anna@example.com",
        "anna@example.com",
        "rfc822; Anna (her box) <anna@example.com>",
        "x400; /G=Anna/O=X/DDA:RFC-822=anna(a)example.com/C=DE/",
        "utf-8; anna@example.com",
        "smtp;@relay.example:anna@example.com",
    ],
)
def test_it_finds_the_address_however_it_is_written(recipient: str) -> None:
    found = parse(report(f"Final-Recipient: {recipient}\nAction: failed\nStatus: 5.1.1"))

    assert [each.address for each in found.recipients] == ["anna@example.com"]


def test_it_takes_the_recipient_from_the_notice_when_the_fields_name_nobody() -> None:
    found = parse(report("Action: failed\nStatus: 5.1.1", text="Could not deliver to:\n\n  <anna@example.com>\n"))

    assert [(each.address, each.status) for each in found.recipients] == [("anna@example.com", "5.1.1")]


def test_it_takes_the_words_from_the_notice_when_the_fields_have_none() -> None:
    found = parse(
        report(
            "Final-Recipient: rfc822; anna@example.com\nAction: failed\nStatus: 5.0.0",
            text="<anna@example.com>: the mailbox is over quota",
        )
    )

    assert "over quota" in found.recipients[0].diagnostic


def test_it_reads_a_report_that_is_named_plain_text() -> None:
    mail = report("Final-Recipient: rfc822; anna@example.com\nAction: failed\nStatus: 5.1.1")

    found = parse(mail.replace(b"message/delivery-status", b"text/plain"))

    assert [(each.address, each.status) for each in found.recipients] == [("anna@example.com", "5.1.1")]


def test_it_is_no_failure_when_only_a_quoted_message_is_a_report() -> None:
    inner = report("Final-Recipient: rfc822; anna@example.com\nAction: failed\nStatus: 5.1.1").decode()
    outer = (
        "From: Judy <judy@example.com>\nTo: news@sender.example\nSubject: Fwd: what is this?\n"
        'Content-Type: multipart/mixed; boundary="o"\n\n--o\nContent-Type: text/plain\n\nWhy did I get this?\n'
        f"--o\nContent-Type: message/rfc822\n\n{inner}\n--o--\n"
    )

    found = parse(outer.encode())

    assert found.kind is Kind.OTHER
    assert found.recipients == ()
    assert "1.2.3@sender.example" in found.clues.message_ids
