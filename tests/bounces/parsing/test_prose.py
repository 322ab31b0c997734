"""Notices for people: which are bounces, whom they name, and what only looks like one."""

import pytest

from bounces.parsing import Kind, parse
from tests.bounces.mails import ORIGINAL, notice


def addresses(raw: bytes) -> list[str]:
    return [found.address for found in parse(raw).recipients]


def test_it_finds_whom_the_mail_was_sent_to_in_a_sentence() -> None:
    raw = notice("The mail you sent to anna@example.com was returned because the account has been closed.")

    assert parse(raw).kind is Kind.BOUNCE
    assert addresses(raw) == ["anna@example.com"]


def test_whom_it_asks_to_mail_is_no_recipient() -> None:
    raw = notice("<anna@example.com>: user unknown\n\nQuestions? Please mail our team at help@relay.example")

    assert addresses(raw) == ["anna@example.com"]


def test_a_daemon_needs_no_subject_when_it_returns_the_message() -> None:
    raw = notice(f"This address failed:\n\n<anna@example.com>: unknown user\n\n{ORIGINAL}", subject="")

    assert parse(raw).kind is Kind.BOUNCE
    assert addresses(raw) == ["anna@example.com"]


def test_a_daemon_that_names_nobody_is_believed_when_nobody_can_answer_it() -> None:
    assert parse(notice("Your message could not be delivered.", subject="News")).kind is Kind.BOUNCE


def test_a_code_is_about_mail_in_any_language() -> None:
    raw = notice("แจ้งเตือน\n\n<anna@example.com>: 550 5.1.1 ไม่พบผู้ใช้", subject="แจ้งเตือน")

    assert parse(raw).kind is Kind.BOUNCE
    assert addresses(raw) == ["anna@example.com"]


def test_a_postmaster_who_can_be_answered_and_names_nobody_is_a_person() -> None:
    raw = notice(
        "Dear colleague, your last mails were delayed: our servers take 200 messages an hour.",
        subject="Your newsletter",
        sender="postmaster@example.com",
        return_path="postmaster@example.com",
    )

    assert parse(raw).kind is Kind.OTHER


@pytest.mark.parametrize(
    "text",
    [
        "7 incoming messages could not be delivered, your mailbox is full. Release the messages now.",
        "Your message was rejected. Verify your account to receive mail again.",
        "3 eingehende Nachrichten konnten nicht zugestellt werden.",
        "4 messages failed to deliver to your inbox.",
    ],
)
def test_who_wants_a_mailbox_of_ours_mended_is_a_fraud(text: str) -> None:
    assert parse(notice(text)).kind is not Kind.BOUNCE


def test_what_a_mailing_list_writes_about_a_membership_is_no_bounce() -> None:
    raw = notice(
        "Your membership has been disabled due to excessive bounces; mails could not be delivered.",
        subject="Your membership is disabled",
        sender="club-bounces@lists.example",
        more="X-List-Administrivia: yes\n",
    )

    assert parse(raw).kind is Kind.OTHER


@pytest.mark.parametrize("subject", ["Anna Ex is out of the office.", "Anna Ex ist außer Haus.", "Anna Ex est absente"])
def test_a_name_before_the_absence_is_an_absence(subject: str) -> None:
    raw = notice("I will answer after my return.", subject=subject, sender="anna@example.com")

    assert parse(raw).kind is Kind.VACATION
