"""One mail, or one event of a provider, that came back: whose it is, what it says, what follows; all of it or nothing.

Every source calls :func:`process` or :func:`process_finding`. Both may be called any number of times with the same
thing, and at the same time by several: it counts once.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from bounces import consequences, forwarding, rules, unqualified, whose
from bounces.models import BounceMail, MailState
from bounces.parsing import MAX_OCTETS, Action, Clues, Finding, Kind, Report, parse
from bounces.parsing.mime import read
from bounces.qualification import judge
from bounces.qualification.verdicts import BY_REPLY_CODE, NO_FAILURE, UNQUALIFIED
from bounces.unqualified import Unknown
from campaign.lib.clock import now
from campaign.lib.pseudonyms import is_pseudonym
from deliveries.actions.unsubscribe import unsubscribe_by_mail
from deliveries.models import Message
from deliveries.rendering.return_path import SEPARATOR, ReturnPath
from deliveries.rows import investigation_address
from deliveries.sending.verdict import FailureType, Verdict
from recipients.addresses import AddressError, key

logger = logging.getLogger(__name__)

Judged = list[tuple[Finding, Verdict]]

MAX_WORDS: Final = 2_000
MAX_FINDINGS: Final = 100
"""Recipients of one report that are kept; each message of ours has one."""

_MILD_FIRST: Final = (FailureType.IGNORED, FailureType.SOFT, FailureType.HARD)


class Outcome(StrEnum):
    """What became of a mail."""

    OURS = "ours"
    """It is about a message of ours; everything that follows is done."""
    NOT_OURS = "not ours"
    """It is about none of our messages. Leave it where it is."""
    REPEATED = "repeated"
    """It came before; nothing was done now."""
    SET_ASIDE = "set aside"
    """It could not be read. A copy is kept, with the reason, until a person tries it again."""


_OUTCOMES: Final = {
    MailState.PROCESSED: Outcome.OURS,
    MailState.NOT_OURS: Outcome.NOT_OURS,
    MailState.SET_ASIDE: Outcome.SET_ASIDE,
}


@dataclass(frozen=True, slots=True)
class Processed:
    """The result for whoever brought the mail."""

    outcome: Outcome
    kind: Kind | None
    """None where it could not be read."""
    sentence: str
    """What was done, or why not, for people."""
    first: Outcome
    """What it was when it came first; equal to ``outcome`` unless that is REPEATED."""
    mail_id: int

    @property
    def may_be_removed(self) -> bool:
        """Everything is done and kept here: the source may delete it. What is not ours is somebody else's."""
        return self.first is Outcome.OURS


def process(raw: bytes, *, source: str, envelope_to: str = "", at: datetime | None = None) -> Processed:
    """What came of a mail, in the form that it was received (header, empty line, body; any bytes do).

    ``source`` names where it was found, for people. ``envelope_to`` is the address it was sent to, where that is known
    from outside the mail (LMTP, a header that the mailbox adds). ``at`` is when it came; now, unless given.

    Raises nothing for any bytes. Only while the database is away does it raise OperationalError or InterfaceError, with
    nothing done: bring the mail again later.
    """
    digest = hashlib.sha256(envelope_to.encode(errors="replace") + b"\0" + raw).hexdigest()
    mail = BounceMail(
        digest=digest,
        source=_clean(source, 100),
        envelope_to=_clean(envelope_to, 320),
        received_at=at or now(),
        raw=raw[:MAX_OCTETS],
        octets=len(raw),
    )
    return _once(mail, lambda: parse(raw), None)


def process_finding(
    *,
    source: str,
    event_id: str,
    kind: Kind,
    address: str,
    text: str = "",
    status: str = "",
    message_id: str = "",
    return_path: str = "",
    envelope_id: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    otherwise: Verdict | None = None,
    at: datetime | None = None,
) -> Processed:
    """The same for an event of a provider that says without a mail what became of one message.

    ``event_id`` is the provider's name for the event: the same one counts once. ``kind`` is BOUNCE, DELAYED or FEEDBACK
    (a complaint). ``message_id``, ``return_path`` (envelope sender), ``envelope_id`` and ``headers`` (lower-case name,
    value) are what the event quotes of the message; one of them must lead to it. ``text`` and ``status`` are judged by
    the rules; ``otherwise`` is the provider's own opinion, which counts where no rule and no code says anything.
    """
    words = _clean(text, MAX_WORDS)
    action = {Kind.BOUNCE: Action.FAILED, Kind.DELAYED: Action.DELAYED, Kind.FEEDBACK: Action.COMPLAINED}
    finding = Finding(address, action=action.get(kind, Action.FAILED), status=status, diagnostic=words)
    clues = Clues(
        return_addresses=tuple(filter(None, (return_path,))),
        envelope_ids=tuple(filter(None, (envelope_id,))),
        message_ids=tuple(filter(None, (message_id.strip().strip("<>"),))),
        headers=headers,
    )
    report = Report(kind, (finding,), clues, is_complaint=kind is Kind.FEEDBACK)
    mail = BounceMail(
        digest=hashlib.sha256(f"{source}\0{event_id}".encode(errors="replace")).hexdigest(),
        source=_clean(source, 100),
        received_at=at or now(),
        raw=b"",
    )
    return _once(mail, lambda: report, otherwise)


def again(mail: BounceMail) -> Processed:
    """Try a mail once more that was set aside."""
    kept = BounceMail(
        digest=mail.digest, source=mail.source, envelope_to=mail.envelope_to, received_at=mail.received_at,
        raw=bytes(mail.raw), octets=mail.octets,
    )  # fmt: skip
    with transaction.atomic():
        BounceMail.objects.filter(pk=mail.pk, state=MailState.SET_ASIDE).delete()
        return _once(kept, lambda: parse(bytes(kept.raw)), None)


def _once(mail: BounceMail, read: Callable[[], Report], otherwise: Verdict | None) -> Processed:
    try:
        with transaction.atomic():
            kept, is_new = _kept(mail)
            return _understand(kept, read(), otherwise) if is_new else _repeated(kept)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("A mail from %s could not be processed; it is set aside.", mail.source)
        return _set_aside(mail, error)


def _kept(mail: BounceMail, **values: str) -> tuple[BounceMail, bool]:
    """The row with the mail's digest, and whether it was made now; others with the same mail wait for us."""
    columns = {name: getattr(mail, name) for name in ("source", "envelope_to", "received_at", "raw", "octets")}
    return BounceMail.objects.get_or_create(digest=mail.digest, defaults=columns | values)


def _repeated(mail: BounceMail) -> Processed:
    first = _OUTCOMES[MailState(mail.state)]
    kind = Kind(mail.kind) if mail.kind else None
    return Processed(Outcome.REPEATED, kind, "It came before; nothing was done now.", first, mail.pk)


def _understand(mail: BounceMail, report: Report, otherwise: Verdict | None) -> Processed:
    if (message := _unsubscribed(mail, report)) is not None:
        mail.kind, mail.message_ids, mail.raw = report.kind, [message.pk], b""
        mail.sentence = f"{message.address} unsubscribed by mail."
        mail.save()
        return Processed(Outcome.OURS, report.kind, mail.sentence, Outcome.OURS, mail.pk)
    messages = whose.find(report, mail.envelope_to)
    if any(is_pseudonym(message.address) for message in messages):
        return _of_erased(mail, report.kind)
    judged = _judged(report, otherwise)
    mail.kind = report.kind
    mail.findings = [_shown(*each) for each in judged[:MAX_FINDINGS]]
    mail.message_ids = [message.pk for message in messages]
    if not messages:
        mail.state, mail.sentence = MailState.NOT_OURS, "It is about none of our messages."
        mail.findings = []
        if not _forward_strange(mail, report):
            mail.raw = b""
    else:
        mail.sentence = " ".join(_follow(message, report, judged, mail) for message in messages)
    mail.save()
    outcome = _OUTCOMES[MailState(mail.state)]
    return Processed(outcome, report.kind, mail.sentence, outcome, mail.pk)


def _of_erased(mail: BounceMail, kind: Kind) -> Processed:
    """What comes back for somebody whose data were erased changes nothing, and names the person once more."""
    mail.kind, mail.raw, mail.envelope_to = kind, b"", ""
    mail.sentence = "It is about a person who was erased: nothing of it is kept."
    mail.save()
    return Processed(Outcome.OURS, kind, mail.sentence, Outcome.OURS, mail.pk)


def _unsubscribed(mail: BounceMail, report: Report) -> Message | None:
    """The message whose ``mailto:`` unsubscription the mail is, and the person unsubscribed; ``None`` for any other.

    The subject alone says so where the address of bounces names no message (``RETURN_PATH=plain``).
    """
    if report.kind in {Kind.BOUNCE, Kind.DELAYED}:  # one of Gmail's looks like an automatic opt-out
        return None
    subject = read(bytes(mail.raw)).headers.get("subject")
    return unsubscribe_by_mail((mail.envelope_to, *report.clues.return_addresses[: whose.MAX_SIGNS]), subject)


def _judged(report: Report, otherwise: Verdict | None) -> Judged:
    judged = judge(report, rules.current())
    if otherwise is None:
        return judged
    return [(finding, otherwise if verdict is UNQUALIFIED else verdict) for finding, verdict in judged]


def _follow(message: Message, report: Report, judged: Judged, mail: BounceMail) -> str:
    """Do what follows for one message; what was done, in a sentence."""
    at = mail.received_at
    match report.kind:
        case Kind.FEEDBACK if report.is_complaint:
            words = judged[0][0].diagnostic if judged else "Feedback report"
            consequences.complained(message, _clean(words, MAX_WORDS), at)
            return f"{message.address} complained: nothing is sent to this person any more."
        case Kind.BOUNCE:
            finding, verdict = _said_of(message, judged)
            if verdict == NO_FAILURE:
                return f"Nobody says that the message to {message.address} failed."
            words = _clean(finding.diagnostic or report.notice, MAX_WORDS)
            consequences.returned(message, verdict, words, at)
            if verdict == UNQUALIFIED:
                _forward(mail, message, "No rule and no code says what this bounce means.")
            if verdict == UNQUALIFIED or verdict.rule.startswith(BY_REPLY_CODE):
                unqualified.note([Unknown(message.pk, words, verdict, at, is_returned=True)])
            return f"The message to {message.address} failed: {verdict.type}, {verdict.reason.label}."
        case Kind.DELAYED:
            return f"The message to {message.address} is late; its server goes on trying."
        case Kind.VACATION:
            return f"A machine answered for {message.address}."
        case _:
            _forward(mail, message, f"This came back for the message to {message.address} and is no bounce.")
            return f"This is no bounce of the message to {message.address}."


def _forward(mail: BounceMail, message: Message, why: str) -> None:
    """Let a person read it, at the address that the message's delivery names."""
    if mail.raw:
        forwarding.note(mail, investigation_address(message), why, message.delivery_id)


def _forward_strange(mail: BounceMail, report: Report) -> bool:
    """What is neither about a message of ours nor a bounce, but was written to our error address (by a person, or a
    DMARC or TLS report), goes to the platform's investigation address."""
    if report.kind is not Kind.OTHER or not any(
        map(_is_error_address, (mail.envelope_to, *report.clues.return_addresses))
    ):
        return False
    return forwarding.note(mail, settings.INVESTIGATION_ADDRESS, "This came to the error address and is no bounce.")


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


def _set_aside(mail: BounceMail, error: Exception) -> Processed:
    sentence = f"It could not be processed ({type(error).__name__}): {_clean(str(error), 500)}"
    with transaction.atomic():
        kept, is_new = _kept(mail, state=MailState.SET_ASIDE, sentence=sentence)
    return Processed(Outcome.SET_ASIDE, None, sentence, Outcome.SET_ASIDE, kept.pk) if is_new else _repeated(kept)


def _shown(finding: Finding, verdict: Verdict) -> dict[str, str]:
    return {
        "address": _clean(finding.address, 320),
        "original": _clean(finding.original, 320),
        "action": finding.action.value,
        "status": finding.status,
        "type": verdict.type.value,
        "reason": verdict.reason.label,
        "rule": verdict.rule,
        "text": _clean(finding.diagnostic, MAX_WORDS),
    }


def _clean(text: str, limit: int) -> str:
    """Text that PostgreSQL takes: no NUL, no half of a surrogate pair."""
    return text[:limit].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
