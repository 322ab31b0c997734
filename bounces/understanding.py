"""What mails that came back mean and what is to follow: read and looked up, nothing is written.

Many at a time: their messages are looked up together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.conf import settings

from bounces import rules, whose
from bounces.forwarding import Reader, is_marked
from bounces.models import MailState
from bounces.parsing import Finding, Kind, Report
from bounces.parsing.mime import read
from bounces.qualification import judge
from bounces.qualification.verdicts import BY_REPLY_CODE, NO_FAILURE, UNQUALIFIED
from campaign.lib.pseudonyms import is_pseudonym
from deliveries.actions.unsubscribe import unsubscribing
from deliveries.identifiers import Lookup
from deliveries.models import Message
from deliveries.rendering.return_path import SEPARATOR, ReturnPath
from deliveries.rows import investigation_address
from deliveries.sending.verdict import FailureType, Verdict
from recipients.addresses import AddressError, key

MAX_WORDS: Final = 2_000
MAX_FINDINGS: Final = 100
"""Recipients of one report that are kept; each message of ours has one."""

_MILD_FIRST: Final = (FailureType.IGNORED, FailureType.SOFT, FailureType.HARD)

Judged = list[tuple[Finding, Verdict]]


@dataclass(frozen=True, slots=True)
class Brought:
    """A mail, or an event of a provider, as its source brings it."""

    digest: str
    """Of whatever makes it the same when it comes again."""
    source: str
    envelope_to: str
    at: datetime
    read: Callable[[], Report]
    raw: bytes = b""
    """Its beginning; empty for an event."""
    octets: int = 0
    otherwise: Verdict | None = None
    """The provider's own opinion, which counts where no rule and no code says anything."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that came back."""

    message: Message
    verdict: Verdict
    words: str
    at: datetime
    is_unknown: bool
    """No rule knows the words."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """Somebody called a message unwanted."""

    message: Message
    words: str
    at: datetime


@dataclass(slots=True)
class Understood:
    """What is kept of a mail, and what follows from it."""

    brought: Brought
    kind: Kind
    sentence: str = ""
    """What is done, for people."""
    state: MailState = MailState.PROCESSED
    messages: list[Message] = field(default_factory=list)
    findings: list[dict[str, str]] = field(default_factory=list)
    keeps_raw: bool = True
    keeps_envelope: bool = True
    failures: list[Failure] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)
    unsubscribed: Message | None = None
    reader: Reader | None = None

    @property
    def is_wish(self) -> bool:
        """A person wants no more mails: more follows than for a bounce."""
        return bool(self.complaints) or self.unsubscribed is not None


def understand(brought: Sequence[Brought]) -> list[Understood]:
    """What each of these means, in their order. The messages that they name by a signed sign are one query."""
    reports = [each.read() for each in brought]
    pairs = list(zip(brought, reports, strict=True))
    subjects = [_subject(mail, report) for mail, report in pairs]
    look = whose.looked_up(
        (report, mail.envelope_to, subject) for (mail, report), subject in zip(pairs, subjects, strict=True)
    )
    return [_understood(mail, report, subject, look) for (mail, report), subject in zip(pairs, subjects, strict=True)]


def _subject(mail: Brought, report: Report) -> str | None:
    """The subject of what may be an unsubscription, which alone says so where the address of bounces names no message
    (``RETURN_PATH=plain``); None for what is none: one of Gmail's bounces looks like an automatic opt-out."""
    if report.kind in {Kind.BOUNCE, Kind.DELAYED}:
        return None
    return read(mail.raw).headers.get("subject")


def _understood(mail: Brought, report: Report, subject: str | None, look: Lookup) -> Understood:
    if subject is not None:
        addresses = (mail.envelope_to, *report.clues.return_addresses[: whose.MAX_SIGNS])
        if (message := unsubscribing(addresses, subject, look)) is not None:
            return Understood(
                mail, report.kind, f"{message.address} unsubscribed by mail.",
                messages=[message], keeps_raw=False, unsubscribed=message,
            )  # fmt: skip
    messages = whose.find(report, mail.envelope_to, look)
    if any(is_pseudonym(message.address) for message in messages):
        # What comes back for somebody whose data were erased changes nothing, and names the person once more.
        sentence = "It is about a person who was erased: nothing of it is kept."
        return Understood(mail, report.kind, sentence, keeps_raw=False, keeps_envelope=False)
    if not messages:
        return _strange(mail, report)
    judged = _judged(report, mail.otherwise)
    findings = [_shown(*each) for each in judged[:MAX_FINDINGS]]
    understood = Understood(mail, report.kind, messages=messages, findings=findings)
    understood.sentence = " ".join([_follow(understood, message, report, judged) for message in messages])
    return understood


def _strange(mail: Brought, report: Report) -> Understood:
    """What is neither about a message of ours nor a bounce, but was written to our error address (by a person, or a
    DMARC or TLS report), goes to the platform's investigation address."""
    reader = None
    if report.kind is Kind.OTHER and any(map(_is_error_address, (mail.envelope_to, *report.clues.return_addresses))):
        reader = _reader(mail, settings.INVESTIGATION_ADDRESS, "This came to the error address and is no bounce.")
    return Understood(
        mail, report.kind, "It is about none of our messages.",
        state=MailState.NOT_OURS, keeps_raw=reader is not None, reader=reader,
    )  # fmt: skip


def _judged(report: Report, otherwise: Verdict | None) -> Judged:
    judged = judge(report, rules.current())
    if otherwise is None:
        return judged
    return [(finding, otherwise if verdict is UNQUALIFIED else verdict) for finding, verdict in judged]


def _follow(understood: Understood, message: Message, report: Report, judged: Judged) -> str:
    """Note what follows for one message; what is done, in a sentence."""
    at = understood.brought.at
    match report.kind:
        case Kind.FEEDBACK if report.is_complaint:
            words = judged[0][0].diagnostic if judged else "Feedback report"
            understood.complaints.append(Complaint(message, clean(words, MAX_WORDS), at))
            return f"{message.address} complained: nothing is sent to this person any more."
        case Kind.BOUNCE:
            finding, verdict = _said_of(message, judged)
            if verdict == NO_FAILURE:
                return f"Nobody says that the message to {message.address} failed."
            words = clean(finding.diagnostic or report.notice, MAX_WORDS)
            is_unknown = verdict == UNQUALIFIED or verdict.rule.startswith(BY_REPLY_CODE)
            understood.failures.append(Failure(message, verdict, words, at, is_unknown))
            if verdict == UNQUALIFIED:
                _let_read(understood, message, "No rule and no code says what this bounce means.")
            return f"The message to {message.address} failed: {verdict.type}, {verdict.reason.label}."
        case Kind.DELAYED:
            return f"The message to {message.address} is late; its server goes on trying."
        case Kind.VACATION:
            return f"A machine answered for {message.address}."
        case _:
            _let_read(understood, message, f"This came back for the message to {message.address} and is no bounce.")
            return f"This is no bounce of the message to {message.address}."


def _let_read(understood: Understood, message: Message, why: str) -> None:
    """Let a person read it, at the address that the message's delivery names; one person at most."""
    if understood.reader is None and understood.brought.raw:
        to = investigation_address(message)
        understood.reader = _reader(understood.brought, to, why, message.delivery_id)


def _reader(mail: Brought, to: str, why: str, delivery_id: int | None = None) -> Reader | None:
    """Not without an address, and not what was forwarded already, by whomever."""
    return Reader(to, why, delivery_id) if to and not is_marked(mail.raw) else None


def _is_error_address(address: str) -> bool:
    """The platform's error address, with or without a sub-address; any address at a domain that is for bounces only."""
    local, _, domain = address.lower().rpartition("@")
    own_local, _, own_domain = settings.ERROR_ADDRESS.lower().rpartition("@")
    if domain != own_domain:
        return False
    return settings.RETURN_PATH == ReturnPath.DOMAIN or local.partition(SEPARATOR)[0] == own_local


def _said_of(message: Message, judged: Judged) -> tuple[Finding, Verdict]:
    """What the report says of this message's address; of others to whom it was passed on, the mildest."""
    if not judged:
        return Finding(message.address), UNQUALIFIED
    own = _same(message.address)
    named = [each for each in judged if own in (_same(each[0].address), _same(each[0].original))]
    return min(named or judged, key=lambda each: _MILD_FIRST.index(each[1].type))


def _same(address: str) -> str:
    try:
        return key(address)
    except AddressError:
        return address.lower()


def _shown(finding: Finding, verdict: Verdict) -> dict[str, str]:
    return {
        "address": clean(finding.address, 320),
        "original": clean(finding.original, 320),
        "action": finding.action.value,
        "status": finding.status,
        "type": verdict.type.value,
        "reason": verdict.reason.label,
        "rule": verdict.rule,
        "text": clean(finding.diagnostic, MAX_WORDS),
    }


def clean(text: str, limit: int) -> str:
    """Text that PostgreSQL takes: no NUL, no half of a surrogate pair."""
    return text[:limit].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
