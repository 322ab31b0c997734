"""Texts that no rule knows: grouped, and judged with all their past by one click."""

from datetime import timedelta

import pytest

from bounces import rules, unqualified
from bounces.dialogue import on_recorded
from bounces.models import BounceRule, UnqualifiedFailure, UnqualifiedText
from bounces.process import process
from bounces.qualification import safety
from campaign.lib.clock import now
from deliveries.models import Message
from deliveries.sending import outcomes
from deliveries.sending.outcomes import of_reply
from deliveries.sending.smtp.replies import Reply, Stage
from deliveries.sending.verdict import FailureType, Reason
from deliveries.states import MessageState
from recipients.models import Quarantine, QuarantineStatus
from tests.bounces import sent
from tests.deliveries import factories
from tests.deliveries.factories import builtin_blocks
from tests.deliveries.sending.sessions import waiting_for

pytestmark = pytest.mark.django_db


def refused(count: int) -> list[Message]:
    """Messages refused in the dialogue, each in the same words with its own address, server and number."""
    made = factories.confirmed(factories.delivery(factories.people(count)))
    found = sent.messages(made)
    outcomes.record(
        [
            of_reply(
                message.pk,
                Reply(
                    550, f"<{message.address}> computer says no (10.0.0.{number}, queue 4C1F{number:06d}X)", Stage.RCPT
                ),
                now(),
            )
            for number, message in enumerate(found)
        ]
    )
    return found


def test_equal_refusals_are_one_text_whatever_names_the_message_or_server() -> None:
    messages = refused(7)

    text = UnqualifiedText.objects.get()
    assert text.text == "550 <*> computer says no (#ip#, queue #id#)"
    assert text.count == 7
    assert set(text.failures.values_list("message_id", flat=True)) == {message.pk for message in messages}


def test_a_text_that_a_rule_knows_is_not_among_them() -> None:
    (message,) = sent.messages(sent.delivered())

    process(sent.bounce(message), source="Test")

    assert not UnqualifiedText.objects.exists()


def test_a_mail_with_unknown_words_is_among_them() -> None:
    (message,) = sent.messages(sent.delivered())

    process(sent.bounce(message, "550 5.0.0 computer says no"), source="Test")

    text = UnqualifiedText.objects.get()
    assert (text.sample, text.decided_by) == ("550 5.0.0 computer says no", "")
    assert UnqualifiedFailure.objects.get().is_returned


@pytest.mark.parametrize(
    ("kind", "reason", "status"),
    [
        (FailureType.HARD, Reason.USER_UNKNOWN, QuarantineStatus.QUARANTINE),
        (FailureType.SOFT, Reason.MAILBOX_FULL, QuarantineStatus.WITH_ERRORS),
        (FailureType.IGNORED, Reason.REFUSED, QuarantineStatus.VALID),
    ],
)
def test_a_rule_made_from_a_text_judges_the_past(kind: FailureType, reason: Reason, status: str) -> None:
    (message,) = sent.messages(sent.delivered())
    process(sent.bounce(message, "550 5.0.0 computer says no"), source="Test", at=now() - timedelta(days=2))
    assert Quarantine.objects.get().status == QuarantineStatus.WITH_ERRORS

    rule, count = unqualified.make_rule(UnqualifiedText.objects.get(), kind, reason)

    message.refresh_from_db()
    record = Quarantine.objects.get()
    assert count == 1
    assert (message.state, message.failure_type, message.reason) == (MessageState.FAILED, kind, reason)
    assert record.status == status
    assert not UnqualifiedText.objects.exists()
    assert rules.current().find("550 5.0.0 computer says no") == rule.as_rule()


def test_a_rule_made_from_a_text_knows_the_same_words_about_others() -> None:
    refused(3)
    text = UnqualifiedText.objects.get()

    rule, count = unqualified.make_rule(text, FailureType.HARD, Reason.USER_UNKNOWN)

    assert count == 3
    found = rules.current().find("550 <else@x.example> Computer says no (192.0.2.77, queue ABC123XYZ9)")
    assert found == rule.as_rule()
    safety.check(rule.as_rule())
    assert set(Message.objects.values_list("failure_type", flat=True)) == {"hard"}
    assert Quarantine.objects.filter(status=QuarantineStatus.QUARANTINE).count() == 3


def test_two_rules_made_from_like_texts_have_names_of_their_own() -> None:
    refused(1)
    text = UnqualifiedText.objects.get()

    unqualified.rule_for(text, FailureType.HARD, Reason.USER_UNKNOWN).save()
    second = unqualified.rule_for(text, FailureType.HARD, Reason.USER_UNKNOWN)

    assert not BounceRule.objects.filter(name=second.name).exists()


@pytest.mark.django_db(transaction=True)
def test_whoever_judges_the_past_waits_for_a_bounce_of_the_same_message_and_holds_nothing_it_needs() -> None:
    builtin_blocks()
    message, *_ = refused(2)
    unqualified.rule_for(UnqualifiedText.objects.get(), FailureType.HARD, Reason.USER_UNKNOWN).save()

    with waiting_for(message, unqualified.judge_past):
        assert Quarantine.objects.select_for_update(nowait=True).count() == 2
        assert list(UnqualifiedText.objects.select_for_update(nowait=True))

    assert not UnqualifiedText.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_judges_at_the_same_time_takes_no_error_back_twice() -> None:
    builtin_blocks()
    message, *_ = refused(2)
    unqualified.rule_for(UnqualifiedText.objects.get(), FailureType.IGNORED, Reason.REFUSED).save()
    Quarantine.objects.update(errors=3)

    with waiting_for(message, unqualified.judge_past):
        Quarantine.objects.update(errors=2)  # as whoever was a moment earlier leaves it
        UnqualifiedFailure.objects.all().delete()

    assert list(Quarantine.objects.values_list("errors", flat=True)) == [2, 2]


def test_more_failures_than_one_transaction_takes_are_judged_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unqualified, "BATCH", 2)
    refused(5)

    _, count = unqualified.make_rule(UnqualifiedText.objects.get(), FailureType.HARD, Reason.USER_UNKNOWN)

    assert count == 5
    assert not UnqualifiedText.objects.exists()
    assert set(Message.objects.values_list("failure_type", flat=True)) == {"hard"}
    assert Quarantine.objects.filter(status=QuarantineStatus.QUARANTINE).count() == 5


def test_many_refusals_cost_the_same_queries_as_one(django_assert_max_num_queries) -> None:
    messages = sent.messages(sent.delivered(30))
    reply = Reply(550, "computer says no", Stage.END_OF_DATA)
    refused = [of_reply(message.pk, reply, now()) for message in messages]
    # As for known texts, and a savepoint, the texts, the failures.
    with django_assert_max_num_queries(14):
        on_recorded(refused)
    assert UnqualifiedText.objects.get().count == 30
