"""What no rule knows: kept in groups, and judged anew once a rule knows it."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import connection, transaction

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


@transaction.atomic
def make_rule(text: UnqualifiedText, kind: FailureType, reason: Reason) -> tuple[BounceRule, int]:
    """Save a rule for this text and judge the past by it; the rule, and how many failures it concerned."""
    rule = rule_for(text, kind, reason)
    rule.save()
    rules.forget()
    return rule, judge_past()


@transaction.atomic
def judge_past(known: Rules | None = None) -> int:
    """Judge anew every text that waits, by the rules as they are now; messages and quarantine follow. Returns how many
    failures a rule knows now."""
    known = known or rules.loaded()
    names = {rule.name for rule in known.rules}
    judged = 0
    for text in UnqualifiedText.objects.select_for_update().order_by("digest"):
        verdict = qualify(text.sample, enhanced(text.sample), reply_code(text.sample), rules=known)
        if verdict.rule in names:
            judged += _follow(text, verdict)
            text.delete()
    return judged


def _follow(text: UnqualifiedText, verdict: Verdict) -> int:
    failures = list(text.failures.order_by("message_id").values_list("message_id", "at", "is_returned"))
    for start in range(0, len(failures), BATCH):
        batch = failures[start : start + BATCH]
        ids = [message_id for message_id, _, _ in batch]
        outcomes.judge_again(ids, verdict)
        addresses = dict(Message.objects.filter(pk__in=ids).values_list("pk", "address"))
        if verdict.type is FailureType.SOFT:
            quarantine.rename(addresses.values(), verdict.reason.label, verdict.rule)
        elif verdict.type is FailureType.IGNORED:
            quarantine.take_back(addresses.values())
        else:
            for returned in (True, False):
                failed = [
                    (message_id, addresses[message_id], verdict, text.sample, at)
                    for message_id, at, is_returned in batch
                    if is_returned is returned and message_id in addresses
                ]
                quarantine.note(failures_of(failed, is_returned=returned))
    return len(failures)
