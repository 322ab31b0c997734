"""What no rule knows: kept in groups, and judged anew once a rule knows it."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet

from bounces import rules
from bounces.consequences import failures_of
from bounces.models import BounceRule, TextState, UnqualifiedFailure, UnqualifiedText
from bounces.parsing.codes import enhanced, reply_code
from bounces.qualification import Rules, qualify
from bounces.qualification.words import grouped
from campaign.lib.sql import statements
from deliveries.models import Message
from deliveries.sending import outcomes
from deliveries.sending.verdict import FailureType, Reason, Verdict
from recipients import quarantine

SQL = statements(Path(__file__).parent / "sql")

MAX_TEXT: Final = 500
"""Characters by which texts are compared; what differs later differs by accident."""
BATCH: Final = 1_000
"""Failures that are judged anew in one transaction."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """One failure that no rule knows."""

    message_id: int
    words: str
    verdict: Verdict
    at: datetime
    is_returned: bool


def note(unknown: Iterable[Unknown]) -> None:
    """Count these failures by their texts. Noting a failure again counts its text again, but keeps it once."""
    groups: dict[str, list[Unknown]] = defaultdict(list)
    texts: dict[str, str] = {}
    for each in unknown:
        text = grouped(each.words)[:MAX_TEXT].strip()
        if text:
            digest = hashlib.sha256(text.encode()).hexdigest()
            texts[digest] = text
            groups[digest].append(each)
    if not groups:
        return
    digests = sorted(groups)
    first = [groups[digest][0] for digest in digests]
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(
            SQL["note_texts"],
            {
                "digests": digests,
                "texts": [texts[digest] for digest in digests],
                "samples": [each.words for each in first],
                "deciders": [each.verdict.rule[:100] for each in first],
                "types": [each.verdict.type.value for each in first],
                "counts": [len(groups[digest]) for digest in digests],
                "times": [max(each.at for each in groups[digest]) for digest in digests],
                "states": [TextState.TO_QUALIFY.value] * len(digests),
            },
        )
        ids = {digest: pk for pk, digest in cursor.fetchall()}
        UnqualifiedFailure.objects.bulk_create(
            (
                UnqualifiedFailure(
                    text_id=ids[digest], message_id=each.message_id, at=each.at, is_returned=each.is_returned
                )
                for digest in digests
                for each in groups[digest]
            ),
            ignore_conflicts=True,
        )


def rule_for(text: UnqualifiedText, kind: FailureType, reason: Reason) -> BounceRule:
    """A rule, not saved yet, that knows this text and those like it; tried before all that come with the project."""
    words = f"{kind.value}: {text.text}"
    name = words[:100]
    taken = set(BounceRule.objects.filter(name__startswith=name[:80]).values_list("name", flat=True))
    number = 2
    while name in taken:
        name = f"{words[:90]} ({number})"
        number += 1
    return BounceRule(
        name=name, pattern=pattern_of(text.text), type=kind, reason=reason, comment=f"Made from: {text.sample[:500]}"
    )


def pattern_of(text: str) -> str:
    """An expression for a grouped text: any identifier stands where one stood. Two of them at most, so that it stays
    fast; the longest stretch with so many."""
    pieces = re.split(r"#(?:id|ip)#", text)
    stretches = [pieces[at : at + 3] for at in range(max(len(pieces) - 2, 1))]
    longest = max(stretches, key=lambda each: sum(map(len, each)))
    escaped = [re.escape(piece[:130]).replace(r"\ ", " ") for piece in longest]
    return r"\S{1,80}".join(escaped).strip()


def make_rule(text: UnqualifiedText, kind: FailureType, reason: Reason) -> tuple[BounceRule, int]:
    """Save a rule for this text and judge the past by it; the rule, and how many failures it concerned.

    The rule holds even when judging ends early; whoever judges next does the rest.
    """
    rule = rule_for(text, kind, reason)
    rule.save()
    rules.forget()
    return rule, judge_past()


@transaction.atomic
def leave(texts: QuerySet[UnqualifiedText]) -> int:
    """These need no rule; they stay counted. Returns how many."""
    return _locked(texts).update(state=TextState.LEFT)


@transaction.atomic
def forget(before: datetime) -> None:
    """Forget failures from before, and texts that none came with since."""
    UnqualifiedFailure.objects.filter(at__lt=before).delete()
    _locked(UnqualifiedText.objects.filter(last_at__lt=before)).delete()


def _locked(texts: QuerySet[UnqualifiedText]) -> QuerySet[UnqualifiedText]:
    """These texts, locked in the order in which :func:`note` writes them."""
    ids = list(texts.select_for_update().order_by("digest").values_list("pk", flat=True))
    return UnqualifiedText.objects.filter(pk__in=ids)


def judge_past(known: Rules | None = None) -> int:
    """Judge anew every text that waits, by the rules as they are now; messages and quarantine follow. Returns how many
    failures a rule knows now."""
    known = known or rules.loaded()
    judged = 0
    while verdicts := _verdicts(known):
        judged += _follow(verdicts)
    return judged


def _verdicts(known: Rules) -> dict[int, tuple[str, Verdict]]:
    """The sample of each text that a rule knows, and what it says of it, by the text's primary key."""
    names = {rule.name for rule in known.rules}
    verdicts = {}
    for pk, sample in UnqualifiedText.objects.values_list("pk", "sample"):
        verdict = qualify(sample, enhanced(sample), reply_code(sample), rules=known)
        if verdict.rule in names:
            verdicts[pk] = sample, verdict
    return verdicts


@transaction.atomic
def _follow(verdicts: Mapping[int, tuple[str, Verdict]]) -> int:
    """Do what follows for some failures with these texts, and forget them; texts without failures go. Returns how many.

    Locks are taken as whoever processes bounces takes them: messages, addresses, texts, each by their keys. So what
    fails meanwhile with these texts is left for the next call. Persons who judge at the same time do it one after the
    other: figures are locked text by text.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('judge_past'))")
    waiting = UnqualifiedFailure.objects.filter(text__in=verdicts).order_by("message_id", "text_id")
    failures = list(waiting[:BATCH])
    messages = Message.objects.select_for_update(no_key=True).order_by("pk")
    addresses = dict(messages.filter(pk__in={each.message_id for each in failures}).values_list("pk", "address"))
    quarantine.lock(addresses.values())
    # Who judged the same at the same time has forgotten them by now: a failure is taken back once.
    failures = list(waiting.filter(pk__in=[each.pk for each in failures]))
    by_text: dict[int, list[UnqualifiedFailure]] = defaultdict(list)
    for failure in failures:
        by_text[failure.text_id].append(failure)
    for text_id in sorted(by_text):
        _judge_again(by_text[text_id], addresses, *verdicts[text_id])
    texts = _locked(UnqualifiedText.objects.filter(pk__in=verdicts))
    UnqualifiedFailure.objects.filter(pk__in=[failure.pk for failure in failures]).delete()
    texts.filter(failures=None).delete()
    return len(failures)


def _judge_again(
    failures: Sequence[UnqualifiedFailure], addresses: Mapping[int, str], sample: str, verdict: Verdict
) -> None:
    """Let these messages, and the addresses of those that are still in the log, follow the verdict on their words."""
    outcomes.judge_again([failure.message_id for failure in failures], verdict)
    failed = [failure for failure in failures if failure.message_id in addresses]
    theirs = [addresses[failure.message_id] for failure in failed]
    if verdict.type is FailureType.SOFT:
        quarantine.explain(theirs, verdict.reason.label, verdict.rule)
    elif verdict.type is FailureType.IGNORED:
        quarantine.take_back(theirs)
    else:
        for returned in (True, False):
            quarantine.note(
                failures_of(
                    (
                        (failure.message_id, addresses[failure.message_id], verdict, sample, failure.at)
                        for failure in failed
                        if failure.is_returned is returned
                    ),
                    is_returned=returned,
                )
            )
