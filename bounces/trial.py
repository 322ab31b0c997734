"""Rules are tried before they are saved: how long they take, and which decides on a text."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from bounces.models import BounceRule
from bounces.parsing import parse
from bounces.parsing.codes import enhanced, reply_code
from bounces.qualification import Rule, RuleError, Rules, hardship, judge, qualify, safety
from bounces.qualification.rules import MAX_TEXT_CHARACTERS
from bounces.qualification.words import masked
from deliveries.sending.verdict import Verdict

MAX_PASTED_CHARACTERS: Final = 200_000
_TEXT_SECONDS: Final = 0.3
_ALL_SECONDS: Final = 10

# In a process of its own: an expression that runs away can only be ended by a signal, which no thread gets.
_MEASURE: Final = """
import json, re, signal, sys

def late(*_):
    raise TimeoutError

signal.signal(signal.SIGPROF, late)
seconds, length, lines = json.load(sys.stdin)
for line, pieces in lines:
    expression = re.compile(line)
    for piece in pieces:
        text = (piece * length)[:length]
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            expression.search(text)
            signal.setitimer(signal.ITIMER_PROF, 0)
        except TimeoutError:
            print(line)
            sys.exit()
"""


def check(rule: Rule) -> None:
    """Raises :class:`RuleError` for a rule that cannot be used, or of which a line takes long on some text."""
    safety.check(rule)
    Rules([rule])
    lines = [each.strip() for each in rule.pattern.splitlines() if each.strip()]
    given = json.dumps([_TEXT_SECONDS, MAX_TEXT_CHARACTERS, [(each, _pieces(each)) for each in lines]])
    try:
        done = subprocess.run(  # noqa: S603 - our own program; the expressions come by its input
            [sys.executable, "-I", "-X", "utf8", "-c", _MEASURE],
            input=given,
            capture_output=True,
            encoding="utf-8",
            timeout=_ALL_SECONDS,
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        raise RuleError("The lines of this rule take too long together. Make two rules of it.") from None
    if slow := done.stdout.strip():
        raise RuleError(
            f"“{slow[:100]}” takes too long on some texts. Give its repetitions smaller limits, or begin it with a "
            "word that must be there."
        )


def _pieces(line: str) -> list[str]:
    """What texts of the greatest length are made of: the line's own words, and what it repeats."""
    words = list(dict.fromkeys(re.findall(r"[^\W_]{2,}", re.sub(r"\\.", " ", line))))[:10]
    usual = ["a", "1", " ", "a ", "1.", *words, *(f"{word} " for word in words), " ".join(words) + " "]
    return list(dict.fromkeys([*usual, *hardship.pieces(line)]))


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
