"""What a mail that came back says. PURE: values only."""

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What sort of mail came back."""

    BOUNCE = "bounce"
    """At least one recipient was not reached, for good."""
    DELAYED = "delayed"
    """Somebody was not reached yet; the server goes on trying."""
    FEEDBACK = "feedback"
    """A recipient complained at his provider (RFC 5965)."""
    VACATION = "vacation"
    """A machine answered in place of a person (RFC 3834): absence, acknowledgement, challenge."""
    OTHER = "other"
    """Written by a person, or a report on something else (DMARC, TLS, read or delivered)."""


class Action(StrEnum):
    """What became of one recipient (RFC 3464, section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"
    COMPLAINED = "complained"
    """Of a feedback report, not of RFC 3464."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What the mail says of one recipient. Empty where it says nothing."""

    address: str
    """As the server that gave up knew it."""
    original: str = ""
    """As it was written to, where it was forwarded or expanded on the way."""
    action: Action = Action.FAILED
    status: str = ""
    """Enhanced status code, class.subject.detail (RFC 3463)."""
    diagnostic: str = ""
    """The server's words, one line, without the type before the semicolon."""
    reply_code: str = ""
    """Three digits (RFC 5321)."""
    remote: str = ""
    """The server that refused."""


@dataclass(frozen=True, slots=True)
class Clues:
    """Whose message it is. The most trustworthy first; the same value stands once."""

    return_addresses: tuple[str, ...] = ()
    """Addresses the mail came back to and envelope senders it quotes: our signed return path is among them."""
    envelope_ids: tuple[str, ...] = ()
    """ENVID of RFC 3461, as the report gives it."""
    message_ids: tuple[str, ...] = ()
    """Message-ID of each quoted message, outermost first, without angle brackets."""
    headers: tuple[tuple[str, str], ...] = ()
    """Header fields of the quoted messages: lower-case name and value, outermost message first."""


@dataclass(frozen=True, slots=True)
class Report:
    """A mail that came back, read."""

    kind: Kind
    recipients: tuple[Finding, ...] = ()
    clues: Clues = field(default_factory=Clues)
    notice: str = ""
    """What the mail says to people, without the message it quotes; at most some thousand characters."""
    is_complaint: bool = False
    """Somebody does not want the message; who, a report may leave out."""
