"""Text into the octets of a mail: header values, addresses, bodies.

RFC 5322 (format), RFC 2045 (transfer encodings), RFC 2047 (encoded words), RFC 2231 (file names), RFC 6532 (UTF-8
headers).
"""

import base64
import io
import re
import unicodedata
import urllib.parse
from functools import lru_cache

import idna

LINE = 76
"""Preferred longest line in octets; RFC 5322 section 2.1.1 allows 998."""

MAX_ADDRESS_OCTETS = 254
"""RFC 5321, section 4.5.3.1.3, less the angle brackets."""

# 52 base64 characters and "=?utf-8?b?" "?=" are 64: with the longest name before them a line stays within the 76 of
# RFC 2047, section 2.
_ENCODED_WORD_BYTES = 39
_ATOM_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_LOCAL_PART = re.compile(r'[^\s<>()\[\],;:\\"@]+|"(?:[^"\\]|\\[ -~])+"')
_DOMAIN = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
# What a line of quoted-printable cannot hold as it is: besides what RFC 2045 names, all but the first of several
# blanks, so that the line is in DKIM's relaxed form as it stands (RFC 6376, section 3.4.4).
_QUOTED = re.compile(r"=|[^ -~]|(?<= ) | $")
_PLAIN_PIECE = re.compile(r"(?![.]|From )[!-<>-~]+(?: [!-<>-~]+)*")
_PIECE_LINE = 72
_LINES = 1024
_TOKEN = re.compile(r"[A-Za-z0-9!#$&+.^_`{|}~-]+")


class MessageError(Exception):
    """This one message cannot be made from its values; the others can. ``str()`` is a sentence for people."""


def check_value(name: str, value: str) -> str:
    """``value`` with spaces around it removed. Raises :class:`MessageError` for anything that could break a header."""
    if value.isprintable():
        return value.strip()
    for character in value:
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}:
            raise MessageError(
                f"A value puts a line break or control character (U+{ord(character):04X}) into {name}. "
                "Correct the recipient's data."
            )
    return value.strip()


def header(name: str, value: str) -> bytes:
    """One unstructured header field, folded, ended by CRLF. ``value`` has passed :func:`check_value`."""
    return _fold(name, unstructured(value))


def unstructured(value: str) -> list[str]:
    """The words of an unstructured value: as they are in ASCII, else as encoded words."""
    if _needs_encoding(value):
        return encoded_words(value)
    return value.split(" ")


def _needs_encoding(value: str) -> bool:
    """What readers would not get back exactly as plain words: other scripts, runs of spaces, overlong words."""
    return not value.isascii() or "=?" in value or "  " in value or any(len(word) > 900 for word in value.split(" "))


def encoded_words(value: str) -> list[str]:
    """RFC 2047 encoded words of at most 75 characters that never split a character."""
    whole, words, start = value.encode(), [], 0
    while start < len(whole):
        end = start + _ENCODED_WORD_BYTES
        while end < len(whole) and whole[end] & 0xC0 == 0x80:  # inside a character
            end -= 1
        words.append(whole[start:end])
        start = end
    return [f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in words]


def address_header(name: str, display_name: str, address: str) -> bytes:
    """A header field with one mailbox. ``address`` comes from :func:`wire_address`."""
    if not display_name:
        return _fold(name, [address])
    return _fold(name, [*phrase(display_name), f"<{address}>"])


def phrase(display_name: str) -> list[str]:
    """A display name as RFC 5322 phrase: plain, quoted or encoded, whichever it needs."""
    if _needs_encoding(display_name):
        return encoded_words(display_name)
    if _ATOM_PHRASE.fullmatch(display_name):
        return display_name.split(" ")
    escaped = display_name.replace("\\", "\\\\").replace('"', '\\"')
    # A quoted string cannot be folded without changing it.
    return [f'"{escaped}"'] if len(escaped) <= 60 else encoded_words(display_name)


@lru_cache(maxsize=1024)
def wire_address(name: str, address: str) -> str:
    """An address as it goes into headers and envelope: domain in ASCII (IDNA), local part as it is.

    Raises :class:`MessageError` when it cannot be an address; ``name`` says which one it is.
    """
    address = check_value(name, address)
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            domain = ""
    wire = f"{local}@{domain}"
    is_one = _LOCAL_PART.fullmatch(local) and _DOMAIN.fullmatch(domain) and len(wire.encode()) <= MAX_ADDRESS_OCTETS
    if not is_one:
        raise MessageError(f"{sentence_start(name)} is not an e-mail address: “{address[:100]}”.")
    return wire


def sentence_start(name: str) -> str:
    """``the HTML content`` at the beginning of a sentence."""
    return name[:1].upper() + name[1:]


def parameter(name: str, value: str) -> str:
    """A MIME parameter: a token, a quoted string, or in RFC 2231 form for anything else."""
    if value.isascii() and len(value) < 60:
        if _TOKEN.fullmatch(value):
            return f"{name}={value}"
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{name}="{escaped}"'
    return _rfc2231(name, value)


def _rfc2231(name: str, value: str) -> str:
    """Extended parameter, continued where it is long, never inside a character (RFC 2231, sections 3 and 4)."""
    pieces, piece = [], ""
    for character in value:
        octets = urllib.parse.quote(character, safe="")
        if len(piece) + len(octets) > 48:
            pieces.append(piece)
            piece = ""
        piece += octets
    pieces.append(piece)
    if len(pieces) == 1:
        return f"{name}*=utf-8''{piece}"
    first, *others = pieces
    parts = [f"{name}*0*=utf-8''{first}", *(f"{name}*{number}*={octets}" for number, octets in enumerate(others, 1))]
    return ";\r\n ".join(parts)


def _fold(name: str, words: list[str]) -> bytes:
    """Words joined by one space, broken before the line passes 76 octets."""
    whole = f"{name}: {' '.join(words)}"
    if len(whole) <= LINE and whole.isascii():
        return whole.encode() + b"\r\n"
    lines, line = [], f"{name}:"
    for word in words:
        if len(line.encode()) + 1 + len(word.encode()) > LINE and line.strip() and not line.endswith(":"):
            lines.append(line)
            line = ""
        line += f" {word}"
    lines.append(line)
    return "\r\n".join(lines).encode() + b"\r\n"


def line_breaks(text: str) -> str:
    """``text`` with every line break, of whatever kind a program wrote, as LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def quoted_printable(text: str) -> str:
    """A piece of a body in quoted-printable (RFC 2045, section 6.7), in lines of at most 76 octets ended by CRLF.

    It begins at the beginning of a line and ends at one, by a soft break where the text has none; so the pieces of a
    template are encoded once, each value by itself, and put together in any order they decode to the whole text. No
    line begins with a dot (SMTP would double it) or with “From ” (mailbox formats take it for a new message). Raises
    :class:`MessageError` for half a character.
    """
    if len(text) <= _PIECE_LINE and _PLAIN_PIECE.fullmatch(text):
        return text + "=\r\n"
    lines = line_breaks(text).split("\n")
    encoded = [_wrapped(_QUOTED.sub(_quoted, line)) for line in lines]
    last = encoded.pop()
    return "".join([f"{line}\r\n" for line in encoded]) + (f"{last}=\r\n" if last else "")


def _wrapped(line: str) -> str:
    """An encoded line with soft breaks."""
    chunks, start = [], 0
    while start < len(line):
        end = start + _PIECE_LINE
        if end < len(line) and "=" in line[end - 2 : end]:  # never inside an encoded octet
            end = line.rindex("=", 0, end)
        chunks.append(_beginning(line[start:end]))
        start = end
    return "=\r\n".join(chunks)


def _beginning(line: str) -> str:
    if line.startswith("."):
        return "=2E" + line[1:]
    return "=46" + line[1:] if line.startswith("From ") else line


def _quoted(match: re.Match[str]) -> str:
    return _QUOTED_CHARACTERS[match[0]]


class _QuotedCharacters(dict[str, str]):
    """Characters in quoted-printable, each worked out once."""

    def __missing__(self, character: str) -> str:
        encoded = "".join(f"={octet:02X}" for octet in octets(character))
        if len(self) < 10_000:
            self[character] = encoded
        return encoded


_QUOTED_CHARACTERS = _QuotedCharacters()


def octets(text: str) -> bytes:
    """``text`` in UTF-8. Raises :class:`MessageError` for half a character (a lone surrogate)."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise MessageError("A value holds half a character. Correct the recipient's data.") from None


def base64_body(data: bytes) -> bytes:
    """A body in base64 (RFC 2045, section 6.8), lines of 76 octets ended by CRLF."""
    return base64_lines(base64.b64encode(data))


def base64_lines(encoded: bytes) -> bytes:
    """What is in base64 already, in lines of 76 octets ended by CRLF; one empty line for nothing."""
    lines = io.BytesIO()  # some lines at a time: those of a file of many megabytes would weigh more than the file
    for first in range(0, len(encoded) or 1, _LINES * LINE):
        some = encoded[first : first + _LINES * LINE]
        lines.write(b"\r\n".join([some[start : start + LINE] for start in range(0, len(some), LINE)]) + b"\r\n")
    return lines.getvalue()


def prefers_base64(sample: str) -> bool:
    """Base64 is shorter than quoted-printable when more than a sixth of the octets are not ASCII."""
    octets = sample.encode()
    return (len(octets) - len(octets.translate(None, bytes(range(128, 256))))) * 6 > len(octets)
