"""What a refusal means for an address: failure type and reason, by default from the SMTP codes alone.

The bounces app registers its rule-based function when it is ready; a refusal in the dialogue and a bounce mail then
take the same path.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, TypeAlias

from deliveries.sending.smtp.replies import Reply, Stage


class FailureType(StrEnum):
    """How an address is judged: HARD is invalid, SOFT may be temporary, IGNORED says nothing about the address."""

    HARD = "hard"
    SOFT = "soft"
    IGNORED = "ignored"


class Reason(IntEnum):
    """Why a message failed. The numbers are kept in the delivery log and in exports; they never change."""

    NOT_DEFINED = 0
    USER_UNKNOWN = 1
    INVALID_DOMAIN = 2
    UNREACHABLE = 3
    ACCOUNT_DISABLED = 4
    MAILBOX_FULL = 5
    NOT_CONNECTED = 6
    ADDRESS_NOT_SPECIFIED = 7
    DENYLISTED_ADDRESS = 8
    ADDRESS_IN_QUARANTINE = 9
    DOUBLE = 10
    EXCLUDED_BY_SQL_RULE = 11
    EXCLUDED_AFTER_ARBITRATION = 12
    BAD_QUALITY_ADDRESS = 14
    UNQUALIFIED_ADDRESS = 15
    NOT_ELIGIBLE_FOR_OFFERS = 16
    TARGET_LIMITED_IN_SIZE = 17
    REFUSED = 20
    ERROR_IGNORED = 25
    CONTROL_ADDRESS = 127

    @property
    def label(self) -> str:
        """The reason as people read it."""
        return self.name.replace("_", " ").capitalize().replace("sql", "SQL")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A failure as it is recorded and counted."""

    type: FailureType
    reason: Reason
    rule: str = ""
    """Name of the rule that decided; empty where the codes alone did."""


Qualify: TypeAlias = Callable[[Reply], Verdict]

# RFC 3463: class.subject.detail at the beginning of the text (RFC 2034).
_ENHANCED = re.compile(r"([245])\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9.])")

_HARD_IF_PERMANENT: Final = {
    (1, 1): Reason.USER_UNKNOWN,
    (1, 3): Reason.USER_UNKNOWN,
    (1, 6): Reason.USER_UNKNOWN,
    (2, 0): Reason.ACCOUNT_DISABLED,
    (2, 1): Reason.ACCOUNT_DISABLED,
}
_SOFT: Final = {
    (1, 2): Reason.INVALID_DOMAIN,
    (1, 10): Reason.INVALID_DOMAIN,
    (2, 2): Reason.MAILBOX_FULL,
    (4, 4): Reason.INVALID_DOMAIN,
}
# Addressing codes that speak of the sender (RFC 3463 section 3.2), not of the recipient.
_SENDER: Final = {(1, 7), (1, 8)}
# Subjects of RFC 3463: 6 content or media, 7 security or policy.
_REFUSING_SUBJECTS: Final = {6, 7}

_HARD_RECIPIENT_CODES: Final = {550, 551, 553}
_FULL_CODES: Final = {452, 552}
_NO_MAIL_HERE_CODES: Final = {521, 556}


def by_code(reply: Reply) -> Verdict:
    """The verdict from the enhanced status code (RFC 3463) where there is one, else from the reply code (RFC 5321).

    Only a permanent refusal of the recipient is HARD. What is refused at MAIL, or decided here for lack of an
    extension, is no fault of the address and IGNORED. Raises ValueError for a reply that accepted the message.
    """
    if reply.accepted:
        raise ValueError(f"The reply {reply} accepted the message; there is no failure to qualify.")
    match = _ENHANCED.match(reply.text)
    permanent = reply.code >= 500 and (match is None or match[1] == "5")
    detail = (int(match[2]), int(match[3])) if match else None
    if reply.stage is Stage.MAIL or detail in _SENDER:
        return Verdict(FailureType.IGNORED, Reason.REFUSED)
    if detail in _HARD_IF_PERMANENT:
        return Verdict(FailureType.HARD if permanent else FailureType.SOFT, _HARD_IF_PERMANENT[detail])
    if reply.stage is Stage.LOCAL:
        return Verdict(FailureType.IGNORED, Reason.UNREACHABLE)
    if detail in _SOFT:
        return Verdict(FailureType.SOFT, _SOFT[detail])
    if detail is not None:
        refusing = detail[0] in _REFUSING_SUBJECTS
        return Verdict(FailureType.SOFT, Reason.REFUSED if refusing else Reason.UNREACHABLE)
    return _by_reply_code(reply)


def _by_reply_code(reply: Reply) -> Verdict:
    if reply.code in _FULL_CODES:
        return Verdict(FailureType.SOFT, Reason.MAILBOX_FULL)
    if reply.code in _NO_MAIL_HERE_CODES:
        return Verdict(FailureType.SOFT, Reason.INVALID_DOMAIN)
    if reply.code < 500:
        return Verdict(FailureType.SOFT, Reason.UNREACHABLE)
    if reply.stage is Stage.RCPT and reply.code in _HARD_RECIPIENT_CODES:
        return Verdict(FailureType.HARD, Reason.USER_UNKNOWN)
    return Verdict(FailureType.SOFT, Reason.REFUSED)


_registered: Qualify = by_code


def register(function: Qualify) -> None:
    """Let `function` give the verdicts from now on; it may fall back on `by_code`."""
    global _registered
    _registered = function


def qualify(reply: Reply) -> Verdict:
    """The verdict on a reply that did not accept the message."""
    return _registered(reply)
