"""Reading one mail that came back: the story from bytes to :class:`Report`. PURE."""

import re
from dataclasses import replace
from typing import Final

from bounces.parsing import auto_reply, original
from bounces.parsing.addresses import iter_addresses
from bounces.parsing.delivery_status import TYPES as STATUS_TYPES
from bounces.parsing.delivery_status import Status, looks_like_status, parse_status, worst
from bounces.parsing.dialects import table
from bounces.parsing.feedback import TYPE as FEEDBACK_TYPE
from bounces.parsing.feedback import complained, is_complaint_forward, parse_feedback
from bounces.parsing.mime import Headers, Mail, own_parts, read
from bounces.parsing.notifications import parse_notification
from bounces.parsing.patterns import Patterns
from bounces.parsing.prose import delayed, findings_in
from bounces.parsing.report import Action, Clues, Finding, Kind, Report

MAX_OCTETS: Final = 1_048_576
"""What is read of a mail; reports and notices stand before the message they return."""
MAX_NOTICE_CHARACTERS: Final = 16_384
OPENING_CHARACTERS: Final = 3_000
"""How far into a notice its point must have been made."""


_SYSTEM = Patterns(table("system_senders"))
_FAILURE_SUBJECT = Patterns(table("failure_subjects"))
_FAILURE = Patterns(table("failure_phrases"))
_DELAY = Patterns(table("delays"))
_DELAY_SUBJECT = Patterns(table("delay_subjects"))
_GIVEN_UP = Patterns(table("given_up"))
_ANSWER = re.compile(
    r"^\s*(?:re|aw|sv|antw|fwd?|wg|tr|rv|enc|vs|res|i|fs|回复|转发|答复)\s?(?:\[\d+\])?\s?:", re.IGNORECASE
)
_ABOUT_MAIL = re.compile(
    r"mail|message|deliver|smtp|nachricht|courriel|correo|mensaje|mensagem|posta|письм|сообщен|メール|邮件|郵件|메일|wiadomo|bericht|zpr[áa]v|recipient"
)
_REPORT_LINE = re.compile(
    r"^(?:final-recipient|original-recipient|x-actual-recipient|action|status|remote-mta|reporting-mta|arrival-date|last-attempt-date|will-retry-until|x-[a-z-]+):.*$",
    re.IGNORECASE | re.MULTILINE,
)
_REPORTS_ON_OTHER_THINGS: Final = {
    "disposition-notification", "tlsrpt", "dmarc", "tls-rpt", "message-tracking-status",
}  # fmt: skip
_OTHER_TYPES: Final = {
    "message/disposition-notification",
    "application/tlsrpt+gzip",
    "application/tlsrpt+json",
    "text/calendar",
}


def parse(raw: bytes) -> Report:
    """What the mail says. Any bytes give a report; only the first :data:`MAX_OCTETS` are looked at."""
    mail = read(bytes(raw[:MAX_OCTETS]))
    feedback = next(own_parts(mail, {FEEDBACK_TYPE}), None)
    if feedback is not None or is_complaint_forward(mail):
        return _feedback(mail, feedback.text() if feedback is not None else "")
    notice, quoted = _notice(mail)
    if mail.parameters.get("report-type", "").lower() in _REPORTS_ON_OTHER_THINGS or _is_about_something_else(mail):
        return Report(Kind.OTHER, (), _clues(mail, quoted), notice)
    status = _status(mail, notice)
    if status is not None:
        report = _of_status(mail, status, notice, quoted)
        if report is not None:
            return report
    if (said := parse_notification(notice)) is not None:
        clues = _clues(mail, quoted, senders=said.senders)
        clues = replace(clues, message_ids=tuple(dict.fromkeys((*said.message_ids, *clues.message_ids))))
        return Report(said.kind, said.recipients, clues, notice)
    return _of_prose(mail, notice, quoted)


def _is_about_something_else(mail: Mail) -> bool:
    if mail.type in _OTHER_TYPES:
        return True
    return any(True for _ in own_parts(mail, _OTHER_TYPES)) and not any(True for _ in own_parts(mail, STATUS_TYPES))


def _notice(mail: Mail) -> tuple[str, list[str]]:
    """What the mail itself says to people, and the texts in it that quote a message."""
    texts = [part.text() for part in own_parts(mail, {"text/plain"}) if part.raw.strip()]
    if not any(text.strip() for text in texts):
        texts = [part.text() for part in own_parts(mail, {"text/html"})]
    if not any(text.strip() for text in texts):
        texts = [part.text() for part in mail.parts if part.level == 0 and part.type.startswith("text/")][:3]
    notices: list[str] = []
    quotes: list[str] = []
    for text in texts[:10]:
        said, rest = original.cut(text)
        notices.append(said)
        if rest:
            quotes.append(rest)
    return "\n\n".join(notices).strip("\n")[:MAX_NOTICE_CHARACTERS], quotes


def _clues(mail: Mail, quotes: list[str], envelope_ids: tuple[str, ...] = (), senders: tuple[str, ...] = ()) -> Clues:
    headers = original.headers_of(mail, quotes)
    return original.clues(mail, headers, envelope_ids, senders, quotes)


def _feedback(mail: Mail, text: str) -> Report:
    said = parse_feedback(text)
    notice, quotes = _notice(mail)
    headers = original.headers_of(mail, quotes)
    clues = original.clues(mail, headers, (said.envelope_id,), said.senders, quotes)
    if not said.complaint:
        return Report(Kind.FEEDBACK, (), clues, notice)
    addresses = said.recipients or complained(mail, headers)
    words = f"Feedback report: {said.type or 'complaint'}"
    return Report(
        Kind.FEEDBACK,
        tuple(Finding(address, action=Action.COMPLAINED, diagnostic=words) for address in addresses),
        clues,
        notice,
    )


def _status(mail: Mail, notice: str) -> Status | None:
    """The delivery status report, wherever the server put it."""
    texts = [part.text() for part in own_parts(mail, STATUS_TYPES)]
    if not texts:
        texts = [
            text
            for part in mail.parts
            if part.level == 0
            and (part.type.startswith(("text/plain", "application/")) or part.type == "message/")
            and b"ecipient" in part.raw[:20_000]
            if looks_like_status(text := part.text())
        ]
    if not texts:
        return None
    every = [parse_status(text) for text in texts[:50]]
    return Status(
        recipients=tuple(found for status in every for found in status.recipients),
        envelope_id=next((status.envelope_id for status in every if status.envelope_id), ""),
        reporter=next((status.reporter for status in every if status.reporter), ""),
    )


def _of_status(mail: Mail, status: Status, notice: str, quotes: list[str]) -> Report | None:
    """The report that fields give, with the notice where they are silent; None when they name nobody."""
    headers = original.headers_of(mail, quotes)
    clues = original.clues(mail, headers, (status.envelope_id,), (), quotes)
    known = tuple(each.address for each in status.recipients if each.address)
    findings = list(status.recipients)
    if not known:
        in_prose = _recipients_in(mail, notice)
        if not in_prose:
            address = original.only_recipient(headers)
            in_prose = [Finding(address)] if address else []
        if not in_prose:
            return None
        blank = findings[0] if findings else Finding("")
        findings = [
            replace(
                each,
                action=blank.action,
                status=blank.status or each.status,
                diagnostic=blank.diagnostic or each.diagnostic,
            )
            for each in in_prose
        ]
    findings = _filled(findings, notice, known)
    action = worst(each.action for each in findings)
    if (
        action is Action.FAILED
        and _says_delay_only(mail.headers, notice)
        and all(each.status[:1] in ("4", "") for each in findings)
    ):
        findings = [delayed(each) if each.action is Action.FAILED else each for each in findings]
        action = Action.DELAYED
    kind = {Action.FAILED: Kind.BOUNCE, Action.DELAYED: Kind.DELAYED}.get(action, Kind.OTHER)
    return Report(kind, tuple(_once(findings)), clues, notice)


def _says_delay_only(headers: Headers, notice: str) -> bool:
    subject = headers.get("subject").lower()
    return _DELAY_SUBJECT.occur_in(subject) and not _GIVEN_UP.occur_in(
        " ".join(notice[:OPENING_CHARACTERS].lower().split())
    )


def _filled(findings: list[Finding], notice: str, known: tuple[str, ...]) -> list[Finding]:
    """Findings without words of the server, with the notice's words on the same address."""
    if all(each.diagnostic for each in findings) or not notice:
        return findings
    said = {each.address.lower(): each for each in findings_in(_REPORT_LINE.sub("", notice), set(), known)}
    filled = []
    for each in findings:
        words = said.get(each.address.lower())
        if each.diagnostic or words is None:
            filled.append(each)
        else:
            filled.append(
                replace(
                    each,
                    diagnostic=words.diagnostic,
                    reply_code=each.reply_code or words.reply_code,
                    remote=each.remote or words.remote,
                )
            )
    return filled


def _once(findings: list[Finding]) -> list[Finding]:
    """Each address once, with what says most: the first that failed, else the first."""
    kept: dict[str, Finding] = {}
    for each in findings:
        key = each.address.lower()
        if key and (key not in kept or (each.action is Action.FAILED and kept[key].action is not Action.FAILED)):
            kept[key] = each
    return list(kept.values())


def _recipients_in(mail: Mail, notice: str) -> list[Finding]:
    known: list[str] = []
    for name in ("x-failed-recipients", "x-failed-recipient", "x-undelivered-to"):
        for value in mail.headers.all(name):
            known.extend(iter_addresses(value))
    never = {
        address.lower()
        for name in ("from", "sender", "reply-to", "return-path", "to")
        for address in iter_addresses(mail.headers.get(name))
    }
    found = findings_in(notice, never, tuple(dict.fromkeys(known)))
    if not found and not known:
        # Mail to oneself comes back to the one who was not reached.
        writers = {
            address.lower()
            for name in ("from", "sender", "reply-to")
            for address in iter_addresses(mail.headers.get(name))
        }
        found = [each for each in findings_in(notice, writers) if _names_failure(each.diagnostic)]
    return found


def _names_failure(text: str) -> bool:
    return _FAILURE.occur_in(text.lower())


def _of_prose(mail: Mail, notice: str, quotes: list[str]) -> Report:
    """The report on a mail that has no fields for machines."""
    headers = original.headers_of(mail, quotes)
    clues = original.clues(mail, headers, (), (), quotes)
    subject = mail.headers.get("subject")
    system = _is_system(mail.headers)
    opening = " ".join(notice[:OPENING_CHARACTERS].lower().split())
    if (
        auto_reply.titled(subject) or (auto_reply.marked(mail.headers) and not system)
    ) and "x-failed-recipients" not in mail.headers:
        return Report(Kind.VACATION, (), clues, notice)
    if _is_bounce(mail, subject, opening, system=system):
        findings = _recipients_in(mail, notice)
        if not findings:
            address = original.only_recipient(headers)
            findings = [Finding(address, diagnostic=" ".join(notice.split())[:2_000])] if address else []
        if findings or system:
            late = (_DELAY.occur_in(opening) or _DELAY_SUBJECT.occur_in(subject.lower())) and not _GIVEN_UP.occur_in(
                opening
            )
            if late:
                return Report(Kind.DELAYED, tuple(_once([delayed(each) for each in findings])), clues, notice)
            return Report(Kind.BOUNCE, tuple(_once(findings)), clues, notice)
    if (
        auto_reply.marked(mail.headers)
        or auto_reply.challenges(notice)
        or (not _ANSWER.match(subject) and auto_reply.absent(notice))
    ):
        return Report(Kind.VACATION, (), clues, notice)
    return Report(Kind.OTHER, (), clues, notice)


def _is_system(headers: Headers) -> bool:
    """Whether a mail system wrote, rather than a person or a service with another business."""
    sender = " ".join(headers.get(name).lower() for name in ("from", "sender")).strip()
    return _SYSTEM.occur_in(sender) or not sender


def _is_bounce(mail: Mail, subject: str, opening: str, *, system: bool) -> bool:
    if "x-failed-recipients" in mail.headers:
        return True
    if not _FAILURE.occur_in(opening) and not _DELAY.occur_in(opening):
        return False
    if _ANSWER.match(subject) and not system:
        return False
    titled = _FAILURE_SUBJECT.occur_in(subject.lower()) or _DELAY_SUBJECT.occur_in(subject.lower())
    if system:
        return titled or bool(mail.quoted) or _ABOUT_MAIL.search(opening) is not None
    # Others report parcels and payments that failed: it must be about mail, and name an address.
    return titled and _ABOUT_MAIL.search(opening) is not None and any(True for _ in iter_addresses(opening))
