import pytest

from deliveries.sending import verdict
from deliveries.sending.smtp.replies import Reply, Stage
from deliveries.sending.verdict import FailureType, Reason, Verdict, by_code, qualify, register

HARD, SOFT, IGNORED = FailureType.HARD, FailureType.SOFT, FailureType.IGNORED


@pytest.fixture(autouse=True)
def _codes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is judged where no app registered rules; bounces does when it is ready."""
    monkeypatch.setattr(verdict, "_registered", by_code)


@pytest.mark.parametrize(
    ("code", "text", "stage", "kind", "reason"),
    [
        (550, "5.1.1 User unknown", Stage.RCPT, HARD, Reason.USER_UNKNOWN),
        (550, "5.1.1 User unknown", Stage.END_OF_DATA, HARD, Reason.USER_UNKNOWN),
        (450, "4.1.1 Unverified address", Stage.RCPT, SOFT, Reason.USER_UNKNOWN),
        (450, "5.1.1 Contradictory", Stage.RCPT, SOFT, Reason.USER_UNKNOWN),
        (550, "5.2.1 Mailbox disabled", Stage.RCPT, HARD, Reason.ACCOUNT_DISABLED),
        (450, "4.2.1 Mailbox disabled", Stage.RCPT, SOFT, Reason.ACCOUNT_DISABLED),
        (552, "5.2.2 Over quota", Stage.RCPT, SOFT, Reason.MAILBOX_FULL),
        (452, "4.2.2 Over quota", Stage.END_OF_DATA, SOFT, Reason.MAILBOX_FULL),
        (556, "5.1.10 Null MX", Stage.RCPT, SOFT, Reason.INVALID_DOMAIN),
        (550, "5.7.1 Blocked", Stage.RCPT, SOFT, Reason.REFUSED),
        (554, "5.6.0 Bad content", Stage.END_OF_DATA, SOFT, Reason.REFUSED),
        (451, "4.3.0 Try again", Stage.RCPT, SOFT, Reason.UNREACHABLE),
        (550, "5.1.8 Bad sender domain", Stage.RCPT, IGNORED, Reason.REFUSED),
        (550, "5.1.1 Sender unknown", Stage.MAIL, IGNORED, Reason.REFUSED),
        (550, "No such user", Stage.RCPT, HARD, Reason.USER_UNKNOWN),
        (550, "No thanks", Stage.END_OF_DATA, SOFT, Reason.REFUSED),
        (554, "Transaction failed", Stage.RCPT, SOFT, Reason.REFUSED),
        (552, "Too much", Stage.RCPT, SOFT, Reason.MAILBOX_FULL),
        (556, "No mail here", Stage.RCPT, SOFT, Reason.INVALID_DOMAIN),
        (421, "Later", Stage.END_OF_DATA, SOFT, Reason.UNREACHABLE),
        (553, "5.6.7 Needs SMTPUTF8", Stage.LOCAL, IGNORED, Reason.UNREACHABLE),
        (553, "5.1.3 Bad address", Stage.LOCAL, HARD, Reason.USER_UNKNOWN),
        (550, "5.1.1.9 is no status code", Stage.RCPT, HARD, Reason.USER_UNKNOWN),
    ],
)
def test_it_judges_by_the_codes(code: int, text: str, stage: Stage, kind: FailureType, reason: Reason) -> None:
    assert qualify(Reply(code, text, stage)) == Verdict(kind, reason)


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("text", ["", "4.1.1 x", "5.1.1 x", "5.2.0 x"])
def test_it_never_condemns_an_address_for_a_temporary_refusal(stage: Stage, text: str) -> None:
    assert qualify(Reply(450, text, stage)).type is not HARD


def test_it_has_no_verdict_on_success() -> None:
    with pytest.raises(ValueError, match="accepted"):
        qualify(Reply(250, "Ok", Stage.END_OF_DATA))


def test_it_lets_another_function_judge() -> None:
    register(lambda reply: Verdict(IGNORED, Reason.ERROR_IGNORED))

    assert verdict.qualify(Reply(550, "", Stage.RCPT)) == Verdict(IGNORED, Reason.ERROR_IGNORED)


def test_it_keeps_the_numbers_of_the_reasons() -> None:
    assert {reason.value for reason in Reason} == {*range(13), 14, 15, 16, 17, 20, 25, 127}
    assert Reason.USER_UNKNOWN.label == "User unknown"
    assert Reason.EXCLUDED_BY_SQL_RULE.label == "Excluded by SQL rule"
