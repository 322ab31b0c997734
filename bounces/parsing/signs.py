"""By what signs a mail for people is a bounce, a delay notice or something else. PURE."""

import re
from typing import Final

from bounces.parsing.addresses import iter_addresses
from bounces.parsing.dialects import table
from bounces.parsing.mime import Headers, Mail, own_parts
from bounces.parsing.patterns import Patterns

OPENING_CHARACTERS: Final = 3_000
"""How far into a notice its point must have been made."""

_SYSTEM = Patterns(table("system_senders"))
_FAILURE_SUBJECT = Patterns(table("failure_subjects"))
_FAILURE = Patterns(table("failure_phrases"))
_DELAY = Patterns(table("delays"))
_DELAY_SUBJECT = Patterns(table("delay_subjects"))
_GIVEN_UP = Patterns(table("given_up"))
_OTHER_BUSINESS = Patterns(table("other_business"))
_LURES = Patterns(table("lures"))
_ANSWER = re.compile(
    r"^\s*(?:re|aw|sv|antw|fwd?|wg|tr|rv|enc|vs|res|i|fs|odp|ynt|回复|转发|答复|回覆)\s?(?:\[\d+\])?\s?[:：]",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"^[ \t]*>[ \t]?\S|\b(?:wrote|schrieb|a écrit|escribió|escreveu|ha scritto|schreef|пишет)\s*:", re.MULTILINE
)
_DAEMON = re.compile(r"^\s*(?:<\s*>)?\s*$|daemon", re.IGNORECASE)
_ABOUT_MAIL = re.compile(
    r"mail|message|deliver|smtp|nachricht|courriel|correo|mensaje|mensagem|posta|письм|сообщен|メール|邮件|郵件|메일|"
    r"wiadomo|bericht|zpr[áa]v|recipient|meddel|besked|melding|viesti|üzenet|levél|leveled|ileti|μήνυμα|mesaj|"
    r"лист|повідомлен|\b[45]\d\d[ -]#?[45]\.\d{1,2}\.\d"
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


def opening_of(notice: str) -> str:
    """The beginning of a notice as the tables of phrases want it."""
    return " ".join(notice[:OPENING_CHARACTERS].lower().split())


def is_about_something_else(mail: Mail, status_types: set[str]) -> bool:
    """Whether the mail is a report on reading, on authentication or encryption, an invitation, or what a mailing list
    writes to its members about their membership."""
    if mail.parameters.get("report-type", "").lower() in _REPORTS_ON_OTHER_THINGS or mail.type in _OTHER_TYPES:
        return True
    if mail.headers.get("x-list-administrivia").strip().lower() == "yes":
        return True
    return any(True for _ in own_parts(mail, _OTHER_TYPES)) and not any(True for _ in own_parts(mail, status_types))


def is_system(headers: Headers) -> bool:
    """Whether a mail system wrote, rather than a person or a service with another business."""
    sender = " ".join(headers.get(name).lower() for name in ("from", "sender")).strip()
    return _SYSTEM.occur_in(sender) or not sender


def came_from_nobody(headers: Headers) -> bool:
    """Whether the mail has the empty return path of notices (RFC 5321, section 4.5.5), or a daemon's."""
    return _DAEMON.search(headers.get("return-path")) is not None


def answers(subject: str) -> bool:
    """Whether the subject says that the mail answers or forwards another."""
    return _ANSWER.match(subject) is not None


def lures(notice: str) -> bool:
    """Whether a notice wants its reader to sign in and mend a mailbox of his own, as frauds do."""
    return _LURES.occur_in(opening_of(notice))


def names_failure(text: str) -> bool:
    """Whether a text says that something failed."""
    return _FAILURE.occur_in(text.lower())


def is_bounce(mail: Mail, notice: str, *, system: bool, returns: bool) -> bool:
    """Whether the notice reports that somebody was not reached, or not yet; `returns` says that it quotes a message."""
    if "x-failed-recipients" in mail.headers:
        return True
    opening = opening_of(notice)
    if not _FAILURE.occur_in(opening) and not _DELAY.occur_in(opening):
        return False
    subject = mail.headers.get("subject").lower()
    answer = answers(subject) and ("in-reply-to" in mail.headers or "references" in mail.headers)
    if not system and (answer or _WROTE.search(notice)):
        return False
    titled = _FAILURE_SUBJECT.occur_in(subject) or _DELAY_SUBJECT.occur_in(subject)
    if system:
        return titled or returns or _ABOUT_MAIL.search(opening) is not None
    # Others report parcels and payments that failed: it must be about mail, and name an address.
    return (
        titled
        and _ABOUT_MAIL.search(opening) is not None
        and not _OTHER_BUSINESS.occur_in(opening)
        and any(True for _ in iter_addresses(opening))
    )


def is_late(headers: Headers, notice: str) -> bool:
    """Whether a bounce says that the server goes on trying."""
    opening = opening_of(notice)
    return (
        _DELAY.occur_in(opening) or _DELAY_SUBJECT.occur_in(headers.get("subject").lower())
    ) and not _GIVEN_UP.occur_in(opening)


def is_titled_late(headers: Headers, notice: str) -> bool:
    """Whether the subject alone says so: for reports whose fields decide the rest."""
    return _DELAY_SUBJECT.occur_in(headers.get("subject").lower()) and not _GIVEN_UP.occur_in(opening_of(notice))
