"""The value that travels from rendering to sending."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mail:
    """One message ready for transmission to one recipient.

    `pieces`, one behind the other, are the whole RFC 5322 message with CRLF line ends, not dot-stuffed; the first has
    the header and the empty line behind it. Mails of one content share those that are attached files. An empty `sender`
    is the null reverse-path. `smtputf8` says that the message cannot travel without RFC 6531, `eight_bit` that it has
    octets above 127 (RFC 6152). `is_transparent` says that behind its header no line begins with a dot or is longer
    than 998 octets, and that CR and LF come in pairs only: it was written so, and nobody has to look. `envelope_id`
    names the message in reports about its delivery (RFC 3461 section 4.4).
    """

    id: int
    sender: str
    recipient: str
    pieces: tuple[bytes, ...]
    smtputf8: bool
    eight_bit: bool
    is_transparent: bool = False
    envelope_id: str = ""

    @property
    def data(self) -> bytes:
        """The whole message; a copy where it has several pieces."""
        return b"".join(self.pieces)

    @property
    def octets(self) -> int:
        """The size of the whole message."""
        return sum(map(len, self.pieces))
