"""Refusals in our own transactions are judged by the same rules as bounce mails."""

import pytest
from django.apps import apps

from bounces.qualification.replies import by_rules
from deliveries.sending import verdict
from deliveries.sending.smtp.replies import Reply, Stage
from deliveries.sending.verdict import FailureType, Reason, by_code

HARD, SOFT, IGNORED = FailureType.HARD, FailureType.SOFT, FailureType.IGNORED


@pytest.mark.django_db
def test_it_is_registered_when_the_app_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict, "_registered", by_code)

    apps.get_app_config("bounces").ready()

    assert verdict.qualify(Reply(550, "No such user here", Stage.RCPT)).rule == "user unknown"


@pytest.mark.parametrize(
    ("code", "text", "stage", "kind", "reason"),
    [
        (550, "Requested action not taken: mailbox unavailable", Stage.RCPT, HARD, Reason.USER_UNKNOWN),
        (554, "delivery error: This user doesn't have an account", Stage.END_OF_DATA, HARD, Reason.USER_UNKNOWN),
        (550, "5.1.1 The account is over quota", Stage.RCPT, SOFT, Reason.MAILBOX_FULL),
        (550, "5.7.1 Blocked, see https://example.com/user-unknown", Stage.RCPT, SOFT, Reason.REFUSED),
        (450, "User unknown, try again later", Stage.RCPT, SOFT, Reason.USER_UNKNOWN),
        (550, "5.2.1 denied", Stage.RCPT, HARD, Reason.ACCOUNT_DISABLED),
        (550, "User unknown", Stage.MAIL, IGNORED, Reason.REFUSED),
        (553, "5.6.7 Needs SMTPUTF8", Stage.LOCAL, IGNORED, Reason.UNREACHABLE),
        (550, "zzz", Stage.RCPT, HARD, Reason.USER_UNKNOWN),
    ],
)
def test_it_reads_the_words_before_the_codes(
    code: int, text: str, stage: Stage, kind: FailureType, reason: Reason
) -> None:
    found = by_rules(Reply(code, text, stage))

    assert (found.type, found.reason) == (kind, reason)


def test_it_names_the_rule() -> None:
    assert by_rules(Reply(550, "User unknown", Stage.RCPT)).rule == "user unknown"


def test_it_has_no_verdict_on_success() -> None:
    with pytest.raises(ValueError, match="accepted"):
        by_rules(Reply(250, "Ok", Stage.END_OF_DATA))


@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.END_OF_DATA])
@pytest.mark.parametrize("text", ["User unknown", "5.1.1 x", "account disabled", "5.2.1 x"])
def test_it_never_condemns_an_address_for_a_temporary_refusal(stage: Stage, text: str) -> None:
    assert by_rules(Reply(450, text, stage)).type is not HARD
