"""The message that came back, quoted in a part of its own or in the text, at any depth; and whose it is. PURE."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from bounces.parsing.addresses import clean, iter_addresses
from bounces.parsing.dialects import joined
from bounces.parsing.mime import Headers, Mail, content_type
from bounces.parsing.report import Clues

MAX_QUOTED_FIELDS: Final = 400
MAX_QUOTED_CHARACTERS: Final = 65_536

_MARKER = re.compile(joined("original_markers"), re.IGNORECASE)
# The words without which no marker matches; they keep the pattern from being tried on every line.
_HINT = re.compile(
    r"-{2}|={2}|\||copy|follow|original|received:|return-path:|header|message/rfc822|below|summary|details|"
    r"returned|first \d|here is|start|begin|kopie|folg|d'origine|копия|ниже|送信メール|\*|diagnostic",
    re.IGNORECASE,
)
_RULE = re.compile(r"-{6,}")
"""No marker tells more dashes from five; each that is not there is one less to try all markers at."""
_QUOTED_FIELD = re.compile(
    r"^[ \t>|*]{0,12}([A-Za-z][A-Za-z0-9-]{1,60}):[ \t]{1,4}([^\n]{1,2000}(?:\n[ \t>|]{1,12}[ \t][^\n]{1,2000}){0,30})",
    re.MULTILINE,
)
_INTERESTING: Final = re.compile(
    r"^(?:message-id|to|cc|from|subject|date|return-path|errors-to|sender|reply-to|delivered-to|x-original-to|envelope-to|"
    r"x-envelope-[a-z]+|received|list-[a-z-]+|feedback-id|in-reply-to|x-[a-z0-9-]+|auto-submitted|content-type)$"
)
_OUTER_RECIPIENTS: Final = (
    "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-rcpt-to", "x-delivered-to", "resent-to", "to",
    "apparently-to", "cc",
)  # fmt: skip
_RECIPIENT_FIELDS: Final = ("x-original-to", "envelope-to", "x-envelope-to", "delivered-to", "to")
_SENDERS: Final = ("return-path", "x-envelope-from", "x-env-sender", "errors-to", "sender", "x-mail-from", "x-sonic-mf")
_ENVELOPE_FROM = re.compile(
    r"envelope-(?:from|sender)[ =:<(]{1,4}([^\s<>()]{3,320})|mail from: ?<([^\s<>]{3,320})>", re.IGNORECASE
)
_RECEIVED_FOR = re.compile(r"\sfor <?([^\s<>;]{3,320}@[^\s<>;]{1,255})>?")
_IDENTIFIER = re.compile(r"<([^<>\s]{1,500})>")


def cut(text: str) -> tuple[str, str]:
    """The notice before the quoted message, and the quoted message; the latter empty where none is quoted."""
    at = 0
    for line in text.splitlines(keepends=True):
        if _HINT.search(line[:200]) and _MARKER.search(_RULE.sub("-----", line[:300])) and at > 0:
            return text[:at], text[at:]
        at += len(line)
    return text, ""


def quoted_fields(text: str) -> list[tuple[str, str]]:
    """Header fields found in a quoted text, whatever marks stand before its lines."""
    found: list[tuple[str, str]] = []
    for match in _QUOTED_FIELD.finditer(text[:MAX_QUOTED_CHARACTERS]):
        name = match[1].lower()
        if _INTERESTING.match(name):
            found.append((name, " ".join(match[2].replace("\n>", "\n").split())))
            if len(found) >= MAX_QUOTED_FIELDS:
                break
    return found


def headers_of(mail: Mail, quoted_texts: Iterable[str]) -> list[Headers]:
    """The headers of every quoted message: parts of their own first, then those in texts."""
    found = [each for each in mail.quoted if each.fields]
    for text in quoted_texts:
        fields = quoted_fields(text)
        if fields:
            found.append(Headers(fields))
    return found


def clues(
    mail: Mail, quoted: list[Headers], envelope_ids: Iterable[str], senders: Iterable[str], texts: Iterable[str]
) -> Clues:
    """Whose message it is."""
    addresses: list[str] = []
    for name in _OUTER_RECIPIENTS:
        for value in mail.headers.all(name):
            addresses.extend(iter_addresses(value))
    addresses.extend(senders)
    identifiers: list[str] = []
    fields: list[tuple[str, str]] = []
    for headers in quoted:
        for name in _SENDERS:
            addresses.extend(address for value in headers.all(name) if (address := clean(value)))
        for value in headers.all("message-id"):
            identifiers.extend(_IDENTIFIER.findall(value) or ([value] if "@" in value and " " not in value else []))
        room = MAX_QUOTED_FIELDS - len(fields)
        fields.extend(headers.fields[:room])
    for text in texts:
        if "nvelope" in text or "ail from" in text.lower():
            addresses.extend(one or other for one, other in _ENVELOPE_FROM.findall(text[:MAX_QUOTED_CHARACTERS]))
    for name in ("in-reply-to", "references"):
        identifiers.extend(_IDENTIFIER.findall(mail.headers.get(name)))
    return Clues(
        return_addresses=tuple(dict.fromkeys(addresses)),
        envelope_ids=tuple(dict.fromkeys(each for each in envelope_ids if each)),
        message_ids=tuple(dict.fromkeys(identifiers)),
        headers=tuple(fields),
    )


def unwrapped(mail: Mail) -> Mail:
    """The report itself, where a gateway on its way put it into another mail with the same Message-ID, to add words."""
    identifier = mail.headers.get("message-id").strip()
    if not identifier or not mail.quoted or mail.quoted[0].get("message-id").strip() != identifier:
        return mail
    kind, parameters = content_type(mail.quoted[0])
    if kind != "multipart/report":
        return mail
    inner = tuple(replace(part, level=part.level - 1) for part in mail.parts if part.level)
    return Mail(mail.headers, kind, parameters, inner, mail.quoted[1:])


def recipients(quoted: list[Headers]) -> list[str]:
    """Every address to which the quoted messages went, by their headers."""
    return [
        address
        for headers in quoted
        for name in _RECIPIENT_FIELDS
        for value in headers.all(name)
        for address in iter_addresses(value)
    ]


def _is_list(address: str, headers: Headers) -> bool:
    """Whether the address is a mailing list's that passed the message on to its members."""
    listed = [headers.get(name).lower() for name in ("list-post", "x-beenthere", "x-mailing-list", "x-loop")]
    local = address.lower().partition("@")[0]
    owner = re.compile(
        rf"\b{re.escape(local)}-(?:admin|bounces?|owner|request)\b[^@]{{0,100}}@|\bowner-{re.escape(local)}@"
    )
    senders = " ".join(headers.get(name).lower() for name in ("sender", "errors-to", "return-path"))
    return any(address.lower() in each for each in listed) or owner.search(senders) is not None


def only_recipient(quoted: list[Headers]) -> str:
    """To whom the quoted message went, where that was one address; empty otherwise."""
    for headers in quoted:
        for name in _RECIPIENT_FIELDS:
            found = list(dict.fromkeys(each.lower() for value in headers.all(name) for each in iter_addresses(value)))
            if len(found) == 1 and not _is_list(found[0], headers):
                return next(iter_addresses(" ".join(headers.all(name))))
        for value in headers.all("received"):
            match = _RECEIVED_FOR.search(value)
            if match:
                return clean(match[1])
    return ""
