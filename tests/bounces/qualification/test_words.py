"""What servers say in many words and languages: each saying is one that the shared corpus does not have."""

import pytest

from bounces.qualification import qualify
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
]


@pytest.mark.parametrize(("saying", "kind", "reason"), SAYINGS)
def test_it_understands_what_servers_say(saying: str, kind: FailureType, reason: Reason) -> None:
    verdict = qualify(saying, "", "550")

    assert (verdict.type, verdict.reason) == (kind, reason), verdict.rule
