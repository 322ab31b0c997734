"""What an enhanced status code means by itself (RFC 3463 and the registry RFC 5248 set up). PURE."""

from typing import Final

from deliveries.sending.verdict import FailureType, Reason, Verdict

HARD, SOFT = FailureType.HARD, FailureType.SOFT

_DETAILS: Final = {
    "1.0": (HARD, Reason.USER_UNKNOWN),
    "1.1": (HARD, Reason.USER_UNKNOWN),
    "1.2": (SOFT, Reason.INVALID_DOMAIN),
    "1.3": (HARD, Reason.USER_UNKNOWN),
    "1.4": (HARD, Reason.USER_UNKNOWN),
    "1.6": (HARD, Reason.USER_UNKNOWN),
    "1.7": (SOFT, Reason.REFUSED),
    "1.8": (SOFT, Reason.REFUSED),
    "1.9": (SOFT, Reason.UNREACHABLE),
    "1.10": (SOFT, Reason.INVALID_DOMAIN),
    "2.1": (HARD, Reason.ACCOUNT_DISABLED),
    "2.2": (SOFT, Reason.MAILBOX_FULL),
    "2.3": (SOFT, Reason.REFUSED),
    "2.4": (SOFT, Reason.UNREACHABLE),
    "3.4": (SOFT, Reason.REFUSED),
    "4.4": (SOFT, Reason.INVALID_DOMAIN),
    "7.13": (HARD, Reason.ACCOUNT_DISABLED),
    "7.17": (HARD, Reason.USER_UNKNOWN),
    "7.18": (SOFT, Reason.INVALID_DOMAIN),
}
_SUBJECTS: Final = {
    "3": (SOFT, Reason.UNREACHABLE),
    "4": (SOFT, Reason.UNREACHABLE),
    "5": (SOFT, Reason.UNREACHABLE),
    "6": (SOFT, Reason.REFUSED),
    "7": (SOFT, Reason.REFUSED),
}
_WEAK: Final = {"1.0", "3.0", "4.0", "4.7", "5.0", "5.4", "7.0", "7.1", "1.4"}
"""Details that servers give for anything; the notice is asked before they decide."""


def is_weak(status: str) -> bool:
    """Whether servers give this code without thinking."""
    return status.partition(".")[2] in _WEAK


def by_status(status: str) -> Verdict | None:
    """What the code says; None for x.0.0, x.2.0 and unknown codes. A code of class 4 is never hard."""
    kind, _, detail = status.partition(".")
    if kind not in ("4", "5") or not detail:
        return None
    found = _DETAILS.get(detail) or _SUBJECTS.get(detail.partition(".")[0])
    if found is None or detail == "5.0":
        return None
    failure, reason = found
    return Verdict(SOFT if kind == "4" else failure, reason, f"status {status}")


def says_enough(status: str) -> bool:
    """Whether the code alone can be believed: it means something, and servers do not give it for anything."""
    return by_status(status) is not None and not is_weak(status)
