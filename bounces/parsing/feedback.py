"""Feedback reports of complaint loops (RFC 5965), and Microsoft's and others' loose forms of them. PURE."""

import re
from dataclasses import dataclass
from typing import Final

from bounces.parsing.addresses import clean
from bounces.parsing.mime import Headers, Mail

TYPE: Final = "message/feedback-report"

_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]{2,60})[ \t]{0,5}:[ \t]{0,20}([^\n]*(?:\n[ \t]+[^\n]*)*)", re.MULTILINE)
_COMPLAINTS: Final = {"abuse", "fraud", "virus", "opt-out", "opt-out-list", "complaint", "miscategorized", "other", ""}
"""Feedback types that are a person's complaint. not-spam is the contrary; auth-failure and dmarc blame nobody."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """A feedback report."""

    type: str
    recipients: tuple[str, ...]
    """Who complained, where the provider says so."""
    envelope_id: str
    senders: tuple[str, ...]
    """Envelope senders the report names."""

    @property
    def complaint(self) -> bool:
        """A person does not want this mail."""
        return self.type in _COMPLAINTS


def parse_feedback(text: str) -> Feedback:
    """Read the fields of a feedback report."""
    fields = [(name.lower(), " ".join(value.split())) for name, value in _FIELD.findall(text)]

    def every(*names: str) -> tuple[str, ...]:
        found = (clean(value) for name, value in fields if name in names)
        return tuple(dict.fromkeys(address for address in found if address))

    one = dict(reversed(fields))
    return Feedback(
        type=one.get("feedback-type", "").strip().lower(),
        recipients=every("original-rcpt-to", "removal-recipient", "redacted-address"),
        envelope_id=one.get("original-envelope-id", ""),
        senders=every("original-mail-from"),
    )


def is_complaint_forward(mail: Mail) -> bool:
    """Whether a provider sends back a marked message without a report: Microsoft's junk mail reporting does."""
    return any("x-hmxmroriginalrecipient" in each for each in (mail.headers, *mail.quoted))


def opted_out(headers: Headers) -> str:
    """Who asks, by the mail his program wrote to our List-Unsubscribe address (RFC 2369), to be written to no more.

    Empty for what a person wrote in his own words.
    """
    asks = headers.get("x-apple-unsubscribe").strip().lower() == "true" or (
        headers.get("subject").strip().lower() == "unsubscribe" and "auto-submitted" in headers
    )
    return clean(headers.get("from")) if asks else ""


def complained(mail: Mail, quoted: list[Headers]) -> list[str]:
    """Who complained, by the message that is quoted, where the report itself does not say."""
    for headers in (*quoted, mail.headers):
        address = clean(headers.get("x-hmxmroriginalrecipient"))
        if address:
            return [address]
    for headers in quoted:
        for name in ("delivered-to", "x-original-to", "envelope-to", "x-rcpt-to", "to"):
            address = clean(headers.get(name))
            if address and "redacted" not in address.lower():
                return [address]
    return []
