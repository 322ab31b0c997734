"""Rules are tried before they are saved: how long they take, and which decides on a text."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bounces.models import BounceRule
from bounces.parsing import parse
from bounces.parsing.codes import enhanced, reply_code
from bounces.qualification import Rule, RuleError, Rules, judge, qualify, safety
from bounces.qualification.rules import MAX_TEXT_CHARACTERS
from bounces.qualification.words import masked
from deliveries.sending.verdict import Verdict

MAX_PASTED_CHARACTERS: Final = 200_000
_LINE_SECONDS: Final = 0.3
_ALL_SECONDS: Final = 10

# In a process of its own: an expression that runs away can only be ended from outside.
_MEASURE: Final = """
import json, re, sys, time
for line, texts in json.load(sys.stdin):
    expression, begun = re.compile(line), time.process_time()
    for text in texts:
        expression.search(text)
    print(json.dumps([line, time.process_time() - begun]), flush=True)
"""


def check(rule: Rule) -> None:
    """Raises :class:`RuleError` for a rule that cannot be used, or of which a line takes long on some text."""
    safety.check(rule)
    Rules([rule])
    lines = [each.strip() for each in rule.pattern.splitlines() if each.strip()]
    given = json.dumps([(each, list(_hard_texts(each))) for each in lines])
    try:
        done = subprocess.run(  # noqa: S603 - our own program; the expressions come by its input
            [sys.executable, "-I", "-c", _MEASURE], input=given, capture_output=True, text=True, timeout=_ALL_SECONDS
        )
        measured = dict(json.loads(each) for each in done.stdout.splitlines())
    except subprocess.TimeoutExpired as slow:
        printed = bytes(slow.stdout or b"").decode()  # bytes, whatever `text` says
        measured = dict(json.loads(each) for each in printed.splitlines())
    for each in lines:
        if measured.get(each, _ALL_SECONDS) > _LINE_SECONDS:
            raise RuleError(
                f"“{each[:100]}” takes too long on some texts. Give its repetitions smaller limits, or begin it with a "
                "word that must be there."
            )


def _hard_texts(line: str) -> Iterator[str]:
    """Texts made of the line's own words, as long as texts can be."""
    words = list(dict.fromkeys(re.findall(r"[^\W_]{2,}", re.sub(r"\\.", " ", line))))[:10]
    for piece in ("a", "1", " ", "a ", "1.", *words, *(f"{word} " for word in words), " ".join(words) + " "):
        yield (piece * MAX_TEXT_CHARACTERS)[:MAX_TEXT_CHARACTERS]


@dataclass(frozen=True, slots=True)
class Tried:
    """What the rules make of one text."""

    text: str
    """As the rules see it."""
    verdict: Verdict
    why: str
    """What decided, in a sentence."""
    matches: tuple[tuple[str, str, str], ...]
    """Each rule with a matching line, that line, and what it matches; in the order of the rules."""
    address: str = ""


def tried(pasted: str, rules: Rules) -> list[Tried]:
    """Which rule decides on a pasted text, and why: of a mail for each of its recipients, else of a server's words."""
    text = pasted[:MAX_PASTED_CHARACTERS].strip()
    report = parse(text.encode()) if re.match(r"(?:[A-Za-z-]{2,40}: ?.*\n){2}", text) else None
    if report is not None and report.recipients:
        return [
            _tried(finding.diagnostic or report.notice, verdict, rules, finding.address)
            for finding, verdict in judge(report, rules)
        ]
    return [_tried(text, qualify(text, enhanced(text), reply_code(text), rules=rules), rules)]


def _tried(text: str, verdict: Verdict, rules: Rules, address: str = "") -> Tried:
    matches = tuple((rule.name, line, part) for rule, line, part in rules.matches(text))
    names = {rule.name for rule in rules.rules}
    if verdict.rule in names and matches and matches[0][0] == verdict.rule:
        why = f"The rule “{verdict.rule}” is the first with a line that matches: “{matches[0][1]}”."
    elif verdict.rule in names:
        why = f"The rule “{verdict.rule}” matches what the notice around it says."
    elif verdict.rule:
        why = f"No rule decides; its code does: {verdict.rule}."
    else:
        why = "No rule matches, and no code means anything: such texts are “to qualify”."
    return Tried(masked(text[:MAX_TEXT_CHARACTERS]), verdict, why, matches, address)


def with_draft(draft: BounceRule) -> Rules:
    """The rules as they would be with this one saved. Raises :class:`RuleError`."""
    rows = [row for row in BounceRule.objects.filter(is_active=True) if row.pk != draft.pk]
    if draft.is_active:
        rows = sorted([*rows, draft], key=lambda row: (row.position, row.name))
    return Rules([row.as_rule() for row in rows])
