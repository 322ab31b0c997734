"""Delivery status notifications (RFC 3464, RFC 6522, RFC 6533) and their loose relatives. PURE."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from bounces.parsing.addresses import clean
from bounces.parsing.codes import enhanced, reply_code
from bounces.parsing.report import Action, Finding

TYPES: Final = {"message/delivery-status", "message/global-delivery-status"}
MAX_RECIPIENTS: Final = 1_000
MAX_DIAGNOSTIC_CHARACTERS: Final = 2_000

_FIELD = re.compile(
    r"^[ \t]{0,3}([A-Za-z][A-Za-z0-9-]{2,60})[ \t]{0,5}:[ \t]{0,20}([^\n]*(?:\n[ \t]+[^\n]*)*)", re.MULTILINE
)
_MASKED = re.compile(r"^[ \t>|]{0,8}(?:final|original)-recipient[ \t]{0,5}:", re.IGNORECASE | re.MULTILINE)
_TYPE_PREFIX = re.compile(r"^\s*(?:x-?)?[A-Za-z0-9.-]{1,30}(?:\s*\([^()]{0,100}\))?\s*;\s*")
_ACTIONS: Final = {
    "failed": Action.FAILED, "failure": Action.FAILED, "fail": Action.FAILED, "permanent-failure": Action.FAILED,
    "expired": Action.FAILED, "delayed": Action.DELAYED, "delay": Action.DELAYED, "deferred": Action.DELAYED,
    "transient-failure": Action.DELAYED, "delivered": Action.DELIVERED, "deliverable": Action.DELIVERED,
    "relayed": Action.RELAYED, "expanded": Action.EXPANDED,
}  # fmt: skip
_RECIPIENT_FIELDS: Final = {"final-recipient", "original-recipient", "x-actual-recipient", "x-original-recipient"}


@dataclass(slots=True)
class _Group:
    """The fields of one recipient as they come."""

    fields: dict[str, str] = field(default_factory=dict)

    def get(self, *names: str) -> str:
        return next((self.fields[name] for name in names if self.fields.get(name)), "")


@dataclass(frozen=True, slots=True)
class Status:
    """A delivery status report."""

    recipients: tuple[Finding, ...]
    envelope_id: str
    reporter: str


def looks_like_status(text: str) -> bool:
    """Whether a text of another type is such a report: some servers name it text/plain or put it into their prose."""
    return "ecipient" in text and _MASKED.search(text[:50_000]) is not None


def parse_status(text: str) -> Status:
    """Read the fields. The first recipient begins the recipients' part, whatever blank lines stand where."""
    common, groups = _groups(text)
    findings = tuple(found for group in groups[:MAX_RECIPIENTS] if (found := _finding(group, common)) is not None)
    return Status(
        recipients=findings,
        envelope_id=common.get("original-envelope-id").strip(),
        reporter=_untyped(common.get("reporting-mta")),
    )


def _groups(text: str) -> tuple[_Group, list[_Group]]:
    common = _Group()
    current = common
    groups: list[_Group] = []
    last_end = 0
    for match in _FIELD.finditer(text):
        name, value = match[1].lower(), match[2]
        blank = "\n\n" in text[last_end : match.start() + 1] or "\n \n" in text[last_end : match.start() + 1]
        last_end = match.end()
        begins = name in _RECIPIENT_FIELDS and (
            current is common or name in current.fields or _complete(current, blank=blank)
        )
        if not begins and blank and groups and name == "action" and "action" in current.fields:
            begins = True
        if begins or (
            current is common
            and name in ("action", "status", "diagnostic-code")
            and blank
            and "reporting-mta" in common.fields
        ):
            current = _Group()
            groups.append(current)
        current.fields.setdefault(name, " ".join(value.split()))
    return common, groups


def _complete(group: _Group, *, blank: bool) -> bool:
    return blank and any(name in group.fields for name in _RECIPIENT_FIELDS) and "action" in group.fields


def _finding(group: _Group, common: _Group) -> Finding | None:
    final = clean(_untyped(group.get("final-recipient")))
    actual = clean(_untyped(group.get("x-actual-recipient")))
    original = clean(_untyped(group.get("original-recipient", "x-original-recipient")))
    address = final or original or actual
    if original and (group.get("final-recipient").lower().startswith("x400") or not _is_public(address)):
        address = original
    diagnostic = _untyped(group.get("diagnostic-code", "x-display-diagnostic", "x-notes", "x-smtp-error"))
    diagnostic = diagnostic[:MAX_DIAGNOSTIC_CHARACTERS]
    if diagnostic.isdecimal() and len(diagnostic) < 4:  # x-unix: what a delivery program returned
        diagnostic = f"exit status {diagnostic}"
    status = enhanced(group.get("status")) or enhanced(diagnostic)
    action = _action(group.get("action"), status)
    if not address and action is not Action.FAILED:
        return None
    return Finding(
        address=address,
        original=original if original and original.lower() != address.lower() else "",
        action=action,
        status=status,
        diagnostic=diagnostic,
        reply_code=reply_code(diagnostic),
        remote=_untyped(group.get("remote-mta")) or _untyped(common.get("x-remote-mta")),
    )


def _is_public(address: str) -> bool:
    """Whether others than the reporting site know the address: an inner host or mailbox name has no dotted domain."""
    return "." in address.rpartition("@")[2]


def _action(value: str, status: str) -> Action:
    word = value.strip().lower().split(" ", 1)[0].strip("()[];.,")
    if word in _ACTIONS:
        return _ACTIONS[word]
    return Action.DELIVERED if status.startswith("2.") else Action.FAILED


def _untyped(value: str) -> str:
    return _TYPE_PREFIX.sub("", value, count=1).strip()


def worst(actions: Iterable[Action]) -> Action:
    """What a report with these actions is about: a failure before a delay, a delay before a success."""
    found = set(actions)
    for action in (Action.FAILED, Action.DELAYED):
        if action in found:
            return action
    return Action.DELIVERED
