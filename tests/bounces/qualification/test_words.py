"""What servers say in many words and languages: each saying is one that the shared corpus does not have."""

import pytest

from bounces.qualification import qualify
from bounces.qualification.verdicts import UNQUALIFIED
from deliveries.sending.verdict import FailureType, Reason

HARD, SOFT = FailureType.HARD, FailureType.SOFT

SAYINGS = [
    ("User bob (bob@h.example) not listed in Domino Directory", HARD, Reason.USER_UNKNOWN),
    ("Такого пользователя нет", HARD, Reason.USER_UNKNOWN),
    ("Nie ma takiego konta", HARD, Reason.USER_UNKNOWN),
    ("收件人不存在", HARD, Reason.USER_UNKNOWN),
    ("account closed by owner", HARD, Reason.ACCOUNT_DISABLED),
    ("Your sender's host is listed in our files", SOFT, Reason.REFUSED),
    ("IP=192.0.2.1 - A problem occurred.", SOFT, Reason.REFUSED),
    ("Callout verification failed", SOFT, Reason.REFUSED),
    ("Message headers fail syntax check", SOFT, Reason.REFUSED),
    ("No connection could be made because the target machine actively refused it.", SOFT, Reason.UNREACHABLE),
    ("Server certificate not trusted", SOFT, Reason.UNREACHABLE),
    ("TLS is required, but was not offered by host mx.h.example", SOFT, Reason.UNREACHABLE),
    ("Boîte pleine", SOFT, Reason.MAILBOX_FULL),
    ("Postfach voll", SOFT, Reason.MAILBOX_FULL),
    ("Recipient is NULL MX", SOFT, Reason.INVALID_DOMAIN),
    ("There is nobody here by that name", HARD, Reason.USER_UNKNOWN),
    ("The person you wrote to is unknown", HARD, Reason.USER_UNKNOWN),
    ("Kein Benutzer unter dieser Adresse", HARD, Reason.USER_UNKNOWN),
    ("Okänd mottagare", HARD, Reason.USER_UNKNOWN),
    ("Onbekende gebruiker", HARD, Reason.USER_UNKNOWN),
    ("Brak takiego konta", HARD, Reason.USER_UNKNOWN),
    ("Adresa nu există", HARD, Reason.USER_UNKNOWN),
    ("Primatelj je nepoznat", HARD, Reason.USER_UNKNOWN),
    ("Одержувача не знайдено, адреса не існує", HARD, Reason.USER_UNKNOWN),
    ("Địa chỉ không tồn tại", HARD, Reason.USER_UNKNOWN),
    ("Alamat tidak ditemukan", HARD, Reason.USER_UNKNOWN),
    ("המשתמש לא קיים", HARD, Reason.USER_UNKNOWN),
    ("المستخدم غير موجود", HARD, Reason.USER_UNKNOWN),
    ("ไม่พบผู้ใช้", HARD, Reason.USER_UNKNOWN),
    ("Kontot är avslutat", HARD, Reason.ACCOUNT_DISABLED),
    ("Das Postfach wurde gekündigt", HARD, Reason.ACCOUNT_DISABLED),
    ("Ящик удалён", HARD, Reason.ACCOUNT_DISABLED),
    ("AccountDisabledException: mailbox cannot be opened", HARD, Reason.ACCOUNT_DISABLED),
    ("account blocked, invoice unpaid", SOFT, Reason.ACCOUNT_DISABLED),
    ("Brevlådan är full", SOFT, Reason.MAILBOX_FULL),
    ("Postkassen er fuld", SOFT, Reason.MAILBOX_FULL),
    ("Postilaatikko on täynnä", SOFT, Reason.MAILBOX_FULL),
    ("A postafiók megtelt", SOFT, Reason.MAILBOX_FULL),
    ("Hộp thư đã đầy", SOFT, Reason.MAILBOX_FULL),
    ("Kein Platz mehr im Postfach", SOFT, Reason.MAILBOX_FULL),
    ("Kotak surat tidak ada ruang, penuh", SOFT, Reason.MAILBOX_FULL),
    ("Verbindung abgelehnt", SOFT, Reason.UNREACHABLE),
    ("Connexion refusée", SOFT, Reason.UNREACHABLE),
    ("Temporary lookup failure", SOFT, Reason.UNREACHABLE),
    ("No mail servers exist for this address", SOFT, Reason.INVALID_DOMAIN),
    ("RP:TRC mx9", SOFT, Reason.REFUSED),
    ("Sending frequency limited", SOFT, Reason.REFUSED),
    ("The recipient has refused your message", SOFT, Reason.REFUSED),
    ("The mail violates our policy", SOFT, Reason.REFUSED),
    ("The inbox cannot hold any more mail", SOFT, Reason.MAILBOX_FULL),
    ("This address is not in use", HARD, Reason.ACCOUNT_DISABLED),
    ("No longer registered with us", HARD, Reason.USER_UNKNOWN),
    ("remote host address is the local host", SOFT, Reason.INVALID_DOMAIN),
]

NO_FAULT_OF_THE_ADDRESS = [
    "The Reply-To address does not exist",
    "The sender's address was not found",
    "Absender existiert nicht",
    "L'expéditeur n'existe pas",
    "Отправитель не найден",
    "差出人アドレスが存在しません",
    "Cannot verify the sender: user unknown",
    "Your account has been disabled from sending",
    "Your hostname is not valid",
    "Client host rejected: name does not exist",
    "The mail contains the address of an account that was closed",
    "A link in your message does not exist",
    "Content blocked: unknown user agent",
    "Attachment removed, user not informed",
    "The recipient has disabled delivery of newsletters",
    "Too many unknown users from you",
    "Mail was discarded by the gateway, address unknown to it",
]


@pytest.mark.parametrize(("saying", "kind", "reason"), SAYINGS)
def test_it_understands_what_servers_say(saying: str, kind: FailureType, reason: Reason) -> None:
    verdict = qualify(saying, "", "550")

    assert (verdict.type, verdict.reason) == (kind, reason), verdict.rule


def test_a_code_says_more_than_the_recipient_being_rejected() -> None:
    assert qualify("550 5.1.1 recipient rejected", "5.1.1", "550").type is HARD
    assert qualify("550 5.7.1 recipient rejected", "5.7.1", "550").type is SOFT


def test_words_of_the_reporting_server_around_a_refusal_decide_nothing() -> None:
    said = "host mx.h.example [192.0.2.1]\nSMTP error from remote mail server after RCPT TO:<bob@h.example>:\n550 Nanu"

    assert qualify(said, "", "550") == UNQUALIFIED


def test_a_sentence_that_every_notice_has_says_less_than_the_reason_in_another() -> None:
    notice = "The mailbox is full.\n\n<bob@h.example>\n\nWrite to the postmaster if this is in error, later."

    verdict = qualify("Write to the postmaster if this is in error, later.", context=notice)

    assert verdict.reason is Reason.MAILBOX_FULL


@pytest.mark.parametrize("saying", NO_FAULT_OF_THE_ADDRESS)
def test_what_is_wrong_with_something_else_makes_no_address_invalid(saying: str) -> None:
    verdict = qualify(saying, "", "550")

    assert (verdict.type, verdict.reason) == (SOFT, Reason.REFUSED), verdict.rule
