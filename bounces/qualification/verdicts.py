"""From a text, its codes and what stands around it to a verdict. PURE."""

from typing import Final

from bounces.parsing.codes import enhanced
from bounces.parsing.report import Action, Finding, Report
from bounces.qualification.rules import DEFAULTS, Rule, Rules
from bounces.qualification.status import by_status, is_weak
from bounces.qualification.words import without_boilerplate
from deliveries.sending.verdict import FailureType, Reason, Verdict

UNQUALIFIED: Final = Verdict(FailureType.SOFT, Reason.NOT_DEFINED)
"""No rule and no code says anything: to qualify."""
COMPLAINT: Final = Verdict(FailureType.HARD, Reason.DENYLISTED_ADDRESS, "complaint")
BY_REPLY_CODE: Final = "reply "
"""Begins the name of what decided where that was a reply code alone."""
NO_FAILURE: Final = Verdict(FailureType.IGNORED, Reason.NOT_DEFINED, "no failure")

_HARD_IF_TEMPORARY: Final = {Reason.ACCOUNT_DISABLED, Reason.USER_UNKNOWN}
_REPLY_CODES: Final = {
    "421": Reason.UNREACHABLE, "432": Reason.UNREACHABLE, "450": Reason.UNREACHABLE, "451": Reason.UNREACHABLE,
    "452": Reason.MAILBOX_FULL, "454": Reason.UNREACHABLE, "500": Reason.UNREACHABLE, "501": Reason.UNREACHABLE,
    "502": Reason.UNREACHABLE, "503": Reason.UNREACHABLE, "504": Reason.UNREACHABLE, "521": Reason.INVALID_DOMAIN,
    "530": Reason.REFUSED, "535": Reason.REFUSED, "551": Reason.USER_UNKNOWN, "552": Reason.MAILBOX_FULL,
    "553": Reason.USER_UNKNOWN, "556": Reason.INVALID_DOMAIN, "571": Reason.REFUSED,
}  # fmt: skip


def qualify(text: str, status: str = "", reply_code: str = "", context: str = "", rules: Rules = DEFAULTS) -> Verdict:
    """The failure type and reason of a server's words, and the rule that decided.

    `text` is what the server said, `context` what the notice around it says; it is asked where `text` and a meaningful
    `status` (class.subject.detail) say nothing. A status of class 4 makes nothing hard. Without any sign:
    :data:`UNQUALIFIED`.
    """
    status = _telling(status, text)
    own = rules.find(text)
    said = own if own is None or not own.general else None
    verdict = _of(said) or (None if is_weak(status) else by_status(status))
    if verdict is None and own is not None and (status or reply_code):
        verdict = _of(own)
    if verdict is None and context:
        around = rules.find(without_boilerplate(context))
        verdict = _of(around) if around is not None and not around.general else None
    verdict = verdict or _of(own) or by_status(status) or _by_reply_code(reply_code) or UNQUALIFIED
    temporary = status.startswith("4") or (not status and reply_code.startswith("4"))
    if verdict.type is FailureType.HARD and temporary and verdict.reason in _HARD_IF_TEMPORARY:
        return Verdict(FailureType.SOFT, verdict.reason, verdict.rule)
    return verdict


def _of(rule: Rule | None) -> Verdict | None:
    return None if rule is None else Verdict(rule.type, rule.reason, rule.name)


def _telling(status: str, text: str) -> str:
    """The status code that says most: the server's own before the reporting server's."""
    own = enhanced(text)
    if own and not own.endswith(".0.0"):
        return own
    return status or own


def _by_reply_code(code: str) -> Verdict | None:
    reason = _REPLY_CODES.get(code)
    if reason is None:
        return None
    hard = code == "551"
    return Verdict(FailureType.HARD if hard else FailureType.SOFT, reason, f"{BY_REPLY_CODE}{code}")


def judge(report: Report, rules: Rules = DEFAULTS) -> list[tuple[Finding, Verdict]]:
    """The verdict on each recipient of a report; those who were reached or wait are ignored, not left out."""
    return [(finding, _verdict(finding, report, rules)) for finding in report.recipients]


def _verdict(finding: Finding, report: Report, rules: Rules) -> Verdict:
    if finding.action is Action.COMPLAINED:
        return COMPLAINT
    if finding.action in (Action.DELIVERED, Action.RELAYED, Action.EXPANDED):
        return NO_FAILURE
    context = report.notice if len(report.recipients) == 1 or not finding.diagnostic else _said_of_all(report)
    verdict = qualify(finding.diagnostic, finding.status, finding.reply_code, context, rules)
    if finding.action is Action.DELAYED:
        reason = verdict.reason if verdict is not UNQUALIFIED else Reason.UNREACHABLE
        return Verdict(FailureType.IGNORED, reason, verdict.rule)
    return verdict


def _said_of_all(report: Report) -> str:
    """The notice before it comes to the first of its recipients."""
    lower = report.notice.lower()
    places = [at for finding in report.recipients if (at := lower.find(finding.address.lower())) >= 0]
    return report.notice[: min(places)] if places else ""
