"""Reading one mail that came back: the story from bytes to :class:`Report`. PURE."""

import re
from dataclasses import replace
from typing import Final

from bounces.parsing import auto_reply, original, signs
from bounces.parsing.addresses import iter_addresses
from bounces.parsing.delivery_status import TYPES as STATUS_TYPES
from bounces.parsing.delivery_status import Status, looks_like_status, parse_status, worst
from bounces.parsing.feedback import TYPE as FEEDBACK_TYPE
from bounces.parsing.feedback import complained, is_complaint_forward, opted_out, parse_feedback
from bounces.parsing.mime import Headers, Mail, own_parts, read
from bounces.parsing.notifications import parse_notification
from bounces.parsing.prose import delayed, findings_in, named_in
from bounces.parsing.report import Action, Clues, Finding, Kind, Report

MAX_OCTETS: Final = 1_048_576
"""What is read of a mail; reports and notices stand before the message they return."""
MAX_NOTICE_CHARACTERS: Final = 16_384

_REPORT_LINE = re.compile(
    r"^(?:final-recipient|original-recipient|x-actual-recipient|action|status|remote-mta|reporting-mta|arrival-date|"
    r"last-attempt-date|will-retry-until|x-[a-z-]+):.*$",
    re.IGNORECASE | re.MULTILINE,
)


def parse(raw: bytes) -> Report:
    """What the mail says. Any bytes give a report; only the first :data:`MAX_OCTETS` are looked at."""
    mail = original.unwrapped(read(bytes(raw[:MAX_OCTETS])))
    feedback = next(own_parts(mail, {FEEDBACK_TYPE}), None)
    if feedback is not None or is_complaint_forward(mail):
        return _feedback(mail, feedback.text() if feedback is not None else "")
    notice, quoted = _notice(mail)
    if who := opted_out(mail.headers):
        finding = Finding(who, action=Action.COMPLAINED, diagnostic="Feedback report: opt-out")
        return Report(Kind.FEEDBACK, (finding,), _clues(mail, quoted), notice, is_complaint=True)
    if signs.is_about_something_else(mail, STATUS_TYPES):
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
        is_complaint=True,
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
            in_prose = _recipient_of(headers, mail, notice) if findings else []
        if not in_prose:
            failed = any(each.action is Action.FAILED for each in findings)
            return Report(Kind.BOUNCE, (), clues, notice) if failed else None
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
        and signs.is_titled_late(mail.headers, notice)
        and all(each.status[:1] in ("4", "") for each in findings)
    ):
        findings = [delayed(each) if each.action is Action.FAILED else each for each in findings]
        action = Action.DELAYED
    kind = {Action.FAILED: Kind.BOUNCE, Action.DELAYED: Kind.DELAYED}.get(action, Kind.OTHER)
    return Report(kind, tuple(_once(findings)), clues, notice)


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
        found = [each for each in findings_in(notice, writers) if signs.names_failure(each.diagnostic)]
    return found


def _of_prose(mail: Mail, notice: str, quotes: list[str]) -> Report:
    """The report on a mail that has no fields for machines."""
    headers = original.headers_of(mail, quotes)
    clues = original.clues(mail, headers, (), (), quotes)
    subject = mail.headers.get("subject")
    system = signs.is_system(mail.headers)
    marked = auto_reply.marked(mail.headers) and not system
    if (auto_reply.titled(subject) or marked) and "x-failed-recipients" not in mail.headers:
        return Report(Kind.VACATION, (), clues, notice)
    returns = bool(mail.quoted or quotes)
    if signs.is_bounce(mail, notice, system=system, returns=returns) and (returns or not signs.lures(notice)):
        findings = _recipients_in(mail, notice) or _recipient_of(headers, mail, notice)
        # A postmaster is a person as well: he names nobody, returns nothing, and can be answered.
        if findings or (system and (returns or signs.came_from_nobody(mail.headers))):
            if signs.is_late(mail.headers, notice):
                return Report(Kind.DELAYED, tuple(_once([delayed(each) for each in findings])), clues, notice)
            return Report(Kind.BOUNCE, tuple(_once(findings)), clues, notice)
    if auto_reply.challenges(notice) or (not signs.answers(subject) and auto_reply.absent(notice)):
        return Report(Kind.VACATION, (), clues, notice)
    return Report(Kind.OTHER, (), clues, notice)


def _recipient_of(quoted: list[Headers], mail: Mail, notice: str) -> list[Finding]:
    """The recipient whom the notice names without his domain, else the only one the quoted message had."""
    sender = next(iter_addresses(mail.headers.get("from")), "")
    named = named_in(notice, original.recipients(quoted), sender.rpartition("@")[2])
    if named:
        return named
    address = original.only_recipient(quoted)
    return [Finding(address, diagnostic=" ".join(notice.split())[:2_000])] if address else []
