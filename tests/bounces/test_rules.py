"""Rules as rows: loaded once, kept when edited, in force everywhere within seconds."""

from types import SimpleNamespace

import pytest

from bounces import rules
from bounces.models import BounceRule
from bounces.models.rule import shipped_rules
from bounces.process import process
from bounces.qualification import DEFAULTS
from deliveries.models import Message
from deliveries.sending.smtp.replies import Reply, Stage
from deliveries.sending.verdict import FailureType, Reason, qualify
from tests.bounces import sent

pytestmark = pytest.mark.django_db

STRANGE = "550 Computer says no"


def own_rule(**values: object) -> BounceRule:
    return BounceRule.objects.create(
        **{
            "name": "own", "pattern": "computer says no", "type": FailureType.HARD, "reason": Reason.USER_UNKNOWN,
        } | values
    )  # fmt: skip


def test_the_table_holds_what_comes_with_the_project_in_its_order() -> None:
    rows = list(BounceRule.objects.all())

    assert [row.name for row in rows] == [rule.name for rule in DEFAULTS.rules]
    assert not any(row.is_edited or row.offered for row in rows)
    assert [rule.pattern.strip() for rule in DEFAULTS.rules] == [row.pattern for row in rows]


def test_an_upgrade_brings_what_nobody_changed_and_leaves_what_somebody_changed(monkeypatch) -> None:
    edited, untouched, gone = BounceRule.objects.all()[:3]
    edited.pattern = "my own words"
    edited.save()
    newest = shipped_rules()
    newest[edited.name]["pattern"] = "newer"
    newest[untouched.name]["pattern"] = "newer"
    del newest[gone.name]
    newest["brand new"] = {**newest[untouched.name], "position": 5}
    monkeypatch.setattr(rules, "shipped_rules", lambda: newest)
    monkeypatch.setattr("bounces.models.rule.shipped_rules", lambda: newest)

    rules.load_defaults()

    edited.refresh_from_db()
    untouched.refresh_from_db()
    assert edited.pattern == "my own words"
    assert edited.is_edited
    assert edited.offered is not None
    assert edited.offered["pattern"] == "newer"
    assert untouched.pattern == "newer"
    assert not untouched.is_edited
    assert not BounceRule.objects.filter(pk=gone.pk).exists()
    assert BounceRule.objects.filter(name="brand new").exists()

    rules.reset(edited)

    now_says = BounceRule.objects.get(pk=edited.pk)
    assert (now_says.pattern, now_says.is_edited, now_says.offered) == ("newer", False, None)


def test_a_rule_of_ones_own_survives_an_upgrade() -> None:
    own = own_rule()

    rules.load_defaults()

    own.refresh_from_db()
    assert own.pattern == "computer says no"


def test_a_new_rule_judges_replies_and_mails_alike() -> None:
    (message,) = sent.messages(sent.delivered())
    reply = Reply(550, "Computer says no", Stage.END_OF_DATA)
    assert qualify(reply).rule == ""

    own_rule()
    rules.forget()

    assert qualify(reply).rule == "own"
    process(sent.bounce(message, "550 5.0.0 Computer says no"), source="Test")
    message.refresh_from_db()
    assert (message.failure_type, message.reason) == ("hard", Reason.USER_UNKNOWN)


def test_a_process_asks_for_changes_every_few_seconds_and_not_with_every_reply(
    django_assert_num_queries, monkeypatch
) -> None:
    clock = [1_000_000.0]
    monkeypatch.setattr(rules, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    reply = Reply(550, "Computer says no", Stage.END_OF_DATA)
    qualify(reply)
    own_rule()

    with django_assert_num_queries(0):
        assert all(qualify(reply).rule == "" for _ in range(100))
    clock[0] += rules.LOOK_EVERY
    with django_assert_num_queries(2):
        assert all(qualify(reply).rule == "own" for _ in range(100))


def test_an_inactive_rule_decides_nothing() -> None:
    own_rule(is_active=False)

    assert rules.current().find(STRANGE) is None


def test_a_rule_before_another_decides_first() -> None:
    own_rule(pattern="user unknown", type=FailureType.IGNORED, reason=Reason.ERROR_IGNORED)
    (message,) = sent.messages(sent.delivered())

    process(sent.bounce(message, "550 5.1.1 user unknown"), source="Test")

    assert Message.objects.get().state == 1  # sent, still
