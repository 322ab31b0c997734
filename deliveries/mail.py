"""The value that travels from rendering to sending."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mail:
    """One message ready for transmission to one recipient.

    `data` is the whole RFC 5322 message with CRLF line ends, not dot-stuffed. An empty `sender` is the null reverse-
    path. `smtputf8` says that the message cannot travel without RFC 6531, `eight_bit` that `data` holds octets above
    127 (RFC 6152). `is_transparent` says that behind its header no line begins with a dot or is longer than 998 octets,
    and that CR and LF come in pairs only: it was written so, and nobody has to look. `envelope_id` names the message in
    reports about its delivery (RFC 3461 section 4.4).
    """

    id: int
    sender: str
    recipient: str
    data: bytes
    smtputf8: bool
    eight_bit: bool
    is_transparent: bool = False
    envelope_id: str = ""
