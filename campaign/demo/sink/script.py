"""How a sink behaves: what it offers, and which faults it has."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MAX_MESSAGE_OCTETS: Final = 50 * 1024 * 1024
EXTENSIONS: Final = (
    "PIPELINING",
    "CHUNKING",
    "8BITMIME",
    "SMTPUTF8",
    f"SIZE {MAX_MESSAGE_OCTETS}",
    "ENHANCEDSTATUSCODES",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A misbehaviour at one point of the dialogue.

    `at` is CONNECT, EHLO, MAIL, RCPT, DATA (the command, or BDAT), BODY (the first octets of content), END (after the
    last), RSET or QUIT. `message` limits it to the n-th message begun on the sink (from 1), `recipient` to a matching
    address. First `delay` seconds pass, then `reply` is given instead of the usual one, then the connection is closed
    if `close`. A close without a reply says nothing. A fault at END keeps the message only when `keep`.
    """

    at: str
    reply: str = ""
    close: bool = False
    delay: float = 0.0
    message: int | None = None
    recipient: str = ""
    keep: bool = False

    def applies(self, at: str, message: int, recipient: str) -> bool:
        """Whether it happens here."""
        return (
            self.at == at
            and self.message in (None, message)
            and (not self.recipient or re.search(self.recipient, recipient) is not None)
        )


@dataclass(slots=True)
class Script:
    """How the sink behaves. `recipients_optional`: DATA gets 354 though nobody was accepted (RFC 2920 section 3.1).

    `messages_per_connection` of 0 sets no limit; beyond it MAIL is answered 421.
    """

    extensions: Sequence[str] = EXTENSIONS
    faults: Sequence[Fault] = ()
    messages_per_connection: int = 0
    recipients_optional: bool = False
