"""A rule is tried before it is saved: is it safe, is it fast, and which rule decides."""

import pytest

from bounces import rules, trial
from bounces.models import BounceRule
from bounces.qualification import DEFAULTS, Rule, RuleError, safety
from deliveries.sending.verdict import FailureType, Reason
from tests.bounces import mails


def rule(pattern: str) -> Rule:
    return Rule("draft", pattern, FailureType.HARD, Reason.USER_UNKNOWN)


def test_every_rule_that_comes_with_the_project_is_safe_and_fast() -> None:
    for each in DEFAULTS.rules:
        trial.check(each)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|a)*b",
        "(a|aa)+$",
        "(?:[a-z]+ ?)*x",
        ".*.*x",
        r"\d+ \d+ \d+",
        r"(?:[\w-]{1,63}\.){0,10}a",
        "((a?)+)+b",
    ],
)
def test_an_expression_that_may_run_away_is_refused_with_a_way_out(pattern: str) -> None:
    with pytest.raises(RuleError, match="take too long on some texts"):
        safety.check(rule(pattern))


@pytest.mark.parametrize(
    "pattern", ["mailbox full", r"over (?:the |its )*quota", r"user \S{1,80} unknown", ".{0,40}gone", r"\bptr\b.*"]
)
def test_an_expression_with_limits_is_taken(pattern: str) -> None:
    trial.check(rule(pattern))


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("(", "no regular expression"),
        ("a*", "matches every text"),
        ("", "has no pattern"),
        ("a" * 1_001, "at most 1000"),
    ],
)
def test_what_is_no_rule_is_refused_with_a_sentence(pattern: str, sentence: str) -> None:
    with pytest.raises(RuleError, match=sentence):
        trial.check(rule(pattern))


def test_an_expression_that_is_slow_all_the_same_is_measured(monkeypatch) -> None:
    monkeypatch.setattr(safety, "MAX_WAYS", 10**12)

    with pytest.raises(RuleError, match="takes too long"):
        trial.check(rule(".*.*.*x y"))


@pytest.mark.parametrize(
    "pattern",
    [
        "[x-z]{0,700}[x-z]{0,700}!",
        r"[^a1 .]{0,700}[^a1 .]{0,700}\d",
        "(?:x|y){0,700}(?:x|y){0,600}!",
        "(?=[k-z]{0,400}[k-z]{0,900}q)",
        r"-{0,700}-{0,700}\+",
        "(?:[qz]-){0,600}(?:[qz]-){0,600}!",
    ],
)
def test_an_expression_is_measured_on_texts_of_what_it_repeats(pattern: str) -> None:
    safety.check(rule(pattern))  # its ways are not too many to be tried

    with pytest.raises(RuleError, match="takes too long"):
        trial.check(rule(pattern))


@pytest.mark.django_db
def test_it_says_which_rule_decides_and_why() -> None:
    (tried,) = trial.tried("550 5.1.1 <a@b.example>: Recipient address rejected: User unknown", rules.current())

    assert (tried.verdict.type, tried.verdict.reason) == (FailureType.HARD, Reason.USER_UNKNOWN)
    assert "“user unknown” is the first with a line that matches" in tried.why
    assert tried.text.startswith("550 5.1.1 <*>: recipient")


@pytest.mark.django_db
def test_it_says_that_nothing_decides() -> None:
    (tried,) = trial.tried("computer says no", rules.current())

    assert "to qualify" in tried.why
    assert tried.matches == ()


@pytest.mark.django_db
def test_it_reads_a_whole_mail_and_answers_for_each_recipient() -> None:
    raw = mails.report(
        "Final-Recipient: rfc822; anna@example.com\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such user"
    )

    (tried,) = trial.tried(raw.decode(), rules.current())

    assert (tried.address, tried.verdict.reason) == ("anna@example.com", Reason.USER_UNKNOWN)


@pytest.mark.django_db
def test_a_draft_is_tried_in_its_place_without_being_saved() -> None:
    draft = BounceRule(name="draft", pattern="computer says no", type="soft", reason=Reason.REFUSED, position=1)

    (tried,) = trial.tried("550 computer says no", trial.with_draft(draft))

    assert tried.verdict.rule == "draft"
    assert not BounceRule.objects.filter(name="draft").exists()


@pytest.mark.django_db
def test_an_edited_rule_is_tried_in_place_of_what_is_saved() -> None:
    row = BounceRule.objects.get(name="user unknown")
    row.pattern = "nothing of this"

    (tried,) = trial.tried("550 5.1.1 user unknown", trial.with_draft(row))

    assert tried.verdict.rule != "user unknown"
