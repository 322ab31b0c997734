"""Writing what an SMTP client says (RFC 5321 section 4.1, RFC 1870, 3030, 3461, 6152, 6531)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

DATA: Final = b"DATA\r\n"
RSET: Final = b"RSET\r\n"
QUIT: Final = b"QUIT\r\n"
END_OF_DATA: Final = b".\r\n"

# RFC 5321 section 4.5.3.1.3: a path is 256 octets with its angle brackets.
MAX_ADDRESS_OCTETS: Final = 254

# RFC 5321 section 4.5.3.1.6 allows 1000 octets with CRLF.
MAX_LINE_OCTETS: Final = 998

# RFC 3461 sections 4.4 and 4.2, in octets as they are on the wire.
MAX_ENVELOPE_ID_OCTETS: Final = 100
MAX_ORIGINAL_RECIPIENT_OCTETS: Final = 500

# A mailbox as RFC 5321 section 4.1.2 lets it onto the wire: a dot-string or a quoted string, then a domain.
# No control character (C0, DEL, C1, line and paragraph separators) passes, whatever the layers above let through.
_FORBIDDEN = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_MAILBOX = re.compile(
    rf'(?:[^{_FORBIDDEN} "(),:;<>@\[\\\]]+|"(?:[^{_FORBIDDEN}"\\]|\\[^{_FORBIDDEN}])*")'
    rf'@(?:[^{_FORBIDDEN} "(),:;<>@\[\\\]]+|\[[0-9A-Za-z.:-]+\])'
)


# What does not stay as it is in xtext (RFC 3461 section 4), and in an international address in ASCII (RFC 6533).
_NOT_XTEXT = re.compile(rb"[^!-*,-<>-~]")
_NOT_QCHAR = re.compile(r"[^!-*,-<>-\[\]-~]")


class BadAddress(ValueError):
    """An address that must not reach an SMTP command; the message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Extensions:
    """What the server offered in its answer to EHLO. `size` in octets, None when it names no limit (RFC 1870)."""

    pipelining: bool = False
    chunking: bool = False
    dsn: bool = False
    eight_bit: bool = False
    smtputf8: bool = False
    size_parameter: bool = False
    size: int | None = None

    @classmethod
    def from_features(cls, features: Mapping[str, str]) -> Self:
        """From EHLO keywords in lower case and their parameters, as smtplib collects them."""
        limit = features.get("size", "").strip()
        return cls(
            pipelining="pipelining" in features,
            chunking="chunking" in features,
            dsn="dsn" in features,
            eight_bit="8bitmime" in features,
            smtputf8="smtputf8" in features,
            size_parameter="size" in features,
            size=int(limit) or None if limit.isascii() and limit.isdigit() else None,
        )


def mail_from(
    sender: str, octets: int, server: Extensions, *, eight_bit: bool, smtputf8: bool, envelope_id: str = ""
) -> bytes:
    """The MAIL command with the parameters the server offers; an empty sender is the null reverse-path.

    With DSN a report shall bring back `envelope_id` and the headers alone: the whole message would come back with each
    bounce, and nobody reads it there. An identifier longer than RFC 3461 allows is left out. Raises BadAddress.
    """
    command = b"MAIL FROM:<" + (_path(sender) if sender else b"") + b">"
    if server.size_parameter:
        command += b" SIZE=%d" % octets
    if eight_bit and server.eight_bit:
        command += b" BODY=8BITMIME"
    if smtputf8 and server.smtputf8:
        command += b" SMTPUTF8"
    if server.dsn:
        command += b" RET=HDRS"
        identifier = xtext(envelope_id.encode())
        if 0 < len(identifier) <= MAX_ENVELOPE_ID_OCTETS:
            command += b" ENVID=" + identifier
    return command + b"\r\n"


def rcpt_to(recipient: str, server: Extensions) -> bytes:
    """The RCPT command with the parameters the server offers. Raises BadAddress.

    With DSN it asks for reports of failure alone (RFC 3461 section 4.1). SUCCESS would bring one mail back for each
    mail sent, and says nothing about reading. DELAY would bring back mails that look like bounces while the relay is
    still trying; what cannot be delivered ends as a failure anyway. A report names the address that was written to
    (ORCPT), whatever forwarding made of it.
    """
    command = b"RCPT TO:<" + _path(recipient) + b">"
    if server.dsn:
        command += b" NOTIFY=FAILURE"
        original = original_recipient(recipient)
        if len(original) <= MAX_ORIGINAL_RECIPIENT_OCTETS:
            command += b" ORCPT=" + original
    return command + b"\r\n"


def xtext(octets: bytes) -> bytes:
    """Any octets as printable ASCII without space, + and = (RFC 3461 section 4): the others become + and two digits."""
    return _NOT_XTEXT.sub(lambda match: b"+%02X" % match[0][0], octets)


def original_recipient(address: str) -> bytes:
    """The value of ORCPT: address type and address (RFC 3461 section 4.2; beyond ASCII, RFC 6533 section 3)."""
    if address.isascii():
        return b"rfc822;" + xtext(address.encode())
    return b"utf-8;" + _NOT_QCHAR.sub(lambda match: f"\\x{{{ord(match[0]):02X}}}", address).encode()


def body(data: bytes, *, is_transparent: bool = False) -> bytes:
    """The message as it travels after 354: dot-stuffed (RFC 5321 section 4.5.2), ending in CRLF, without the final dot.

    Of data that `is_transparent` only the header is looked at (see :class:`deliveries.mail.Mail`). Raises ValueError
    as `check_line_ends` does.
    """
    checked = looked_at(data, is_transparent=is_transparent)
    check_line_ends(checked)
    stuffed = _stuffed(checked)
    if len(checked) < len(data):
        return data if stuffed is checked else stuffed + data[len(checked) :]
    return stuffed if not stuffed or stuffed.endswith(b"\r\n") else stuffed + b"\r\n"


def _stuffed(data: bytes) -> bytes:
    stuffed = data.replace(b"\r\n.", b"\r\n..") if b"\r\n." in data else data
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def chunk(data: bytes, *, is_transparent: bool = False, behind: int = 0) -> bytes:
    """The message as it travels with BDAT (RFC 3030 section 2): the command, then the octets, ending in CRLF. So many
    octets of the same message are going to follow `behind`, and end it.

    Raises ValueError as `check_line_ends` does, though the octets are counted: the server may hand the message on with
    DATA. Of data that `is_transparent` only the header is looked at.
    """
    check_line_ends(looked_at(data, is_transparent=is_transparent))
    end = b"" if behind or data.endswith(b"\r\n") else b"\r\n"
    return b"BDAT %d LAST\r\n%b%b" % (len(data) + len(end) + behind, data, end)


def looked_at(data: bytes, *, is_transparent: bool) -> bytes:
    """What of a message must be looked at: the header with the empty line behind it, or everything."""
    end_of_header = data.find(b"\r\n\r\n") + 4 if is_transparent else 0
    return data[:end_of_header] if end_of_header >= 4 else data


def check_line_ends(data: bytes) -> None:
    """Raise ValueError for a CR or LF that stands alone.

    Servers disagree about such lines, which lets a message smuggle a second one behind itself. Rendering never makes
    one, so it is an error of the program.
    """
    without_pairs = data.replace(b"\r\n", b"")
    if b"\n" in without_pairs or b"\r" in without_pairs:
        raise ValueError("The message holds a CR or LF that is not part of a CRLF line end.")


def has_overlong_line(data: bytes) -> bool:
    """Whether a line is longer than 998 octets without its CRLF (RFC 5321 section 4.5.3.1.6)."""
    start = 0
    while len(data) - start > MAX_LINE_OCTETS:
        # A leap of a whole line's length; most lines are never looked at.
        end = data.rfind(b"\r\n", start, start + MAX_LINE_OCTETS + 2)
        if end < 0:
            return True
        start = end + 2
    return False


def _path(address: str) -> bytes:
    if not _MAILBOX.fullmatch(address):
        raise BadAddress(f"The address {address!r} is not written as SMTP requires. Correct it in the recipient.")
    try:
        octets = address.encode()
    except UnicodeEncodeError as error:
        raise BadAddress(f"The address {address!r} holds characters that cannot be encoded. Correct it.") from error
    if len(octets) > MAX_ADDRESS_OCTETS:
        raise BadAddress(f"The address {address[:40]!r}… is longer than {MAX_ADDRESS_OCTETS} octets. Correct it.")
    return octets
