"""Taking a mail apart (RFC 5322, RFC 2045 to 2047), leniently and within limits. PURE.

Python's own parser takes milliseconds for a mail and recurses; a bounce needs its headers, its texts and its reports.
"""

import binascii
import codecs
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bounces.parsing.html import text_of

MAX_DEPTH: Final = 64
"""Parts in parts; what is deeper stays closed."""
MAX_PARTS: Final = 250
"""Of a whole mail; what follows is not looked at."""
MAX_HEADER_OCTETS: Final = 131_072
"""Of one header block."""
MAX_VALUE_CHARACTERS: Final = 4_000
"""Of one header field."""
MAX_TEXT_OCTETS: Final = 262_144
"""Of one part that is decoded; a server's words stand at the beginning."""

_FIELD = re.compile(rb"^([!-9;-~]{1,100})[ \t]{0,20}:[ \t]{0,100}([^\n]*(?:\n[ \t][^\n]*)*)", re.MULTILINE)
_FIRST_FIELD = re.compile(rb"[!-9;-~]{1,100}[ \t]{0,20}:")
_PARAMETER = re.compile(
    r';[ \t\n]{0,20}([A-Za-z0-9-]{1,40})\*?[ \t]{0,20}=[ \t]{0,20}(?:"([^"]{0,300})"|([^;\s]{1,300}))'
)
_ENCODED_WORD = re.compile(
    r"=\?([A-Za-z0-9_.:+-]{1,40})(?:\*[A-Za-z-]{0,20})?\?([bBqQ])\?([^?\n]{0,2000})\?=(?:\s{1,10}(?==\?))?"
)
_FOLD = re.compile(r"\s*\n\s*")
_FIRST_DELIMITER = re.compile(rb"^--([^\n]{4,200})\n[A-Za-z-]{4,40}:", re.MULTILINE)
_CHARSET_HAZARDS: Final = {
    "punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem", "unicode-internal",
}  # fmt: skip
"""Python's codecs that are no charset of mail, or take quadratic time."""

RETURNED_TYPES: Final = {
    "message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "text/rfc822", "message/global",
    "message/global-headers", "message/partial",
}  # fmt: skip
"""A message that is quoted whole or in part (RFC 6522, RFC 6533)."""


class Headers:
    """The fields of one header block, in their order: names in lower case, values decoded when they are asked for."""

    __slots__ = ("fields",)

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self.fields = fields

    def get(self, name: str) -> str:
        """The first field of this lower-case name as text, or an empty text."""
        for each, value in self.fields:
            if each == name:
                return words(value)
        return ""

    def all(self, name: str) -> list[str]:
        """Every field of this lower-case name as text."""
        return [words(value) for each, value in self.fields if each == name]

    def __contains__(self, name: str) -> bool:
        return any(each == name for each, _ in self.fields)


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf of a mail. `level` counts the quoted messages around it: 0 is what the mail's own sender says."""

    headers: Headers
    type: str
    charset: str
    encoding: str
    raw: bytes
    level: int

    def text(self) -> str:
        """The decoded text, of HTML what a person would see; at most the first :data:`MAX_TEXT_OCTETS`."""
        raw = decode_transfer(self.raw[:MAX_TEXT_OCTETS], self.encoding)
        text = decode_charset(raw, self.charset)
        return text_of(text) if self.type == "text/html" else text


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail taken apart."""

    headers: Headers
    type: str
    parameters: dict[str, str]
    parts: tuple[Part, ...]
    quoted: tuple[Headers, ...]
    """The headers of each message it carries in a part of its own, outermost first."""


def read(raw: bytes) -> Mail:
    """Take a mail apart. Whatever cannot be understood is text."""
    data = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\0", b"").lstrip(b"\n")
    if data.startswith((b"From ", b">From ")):  # mbox
        data = data.partition(b"\n")[2]
    top, body = split_headers(data)
    top_type, top_parameters = content_type(top)
    parts: list[Part] = []
    quoted: list[Headers] = []
    stack: list[tuple[Headers, str, dict[str, str], bytes, int, int]] = [(top, top_type, top_parameters, body, 0, 0)]
    opened = 0
    while stack and opened < MAX_PARTS:
        headers, kind, parameters, body, depth, level = stack.pop()
        opened += 1
        if depth < MAX_DEPTH and kind.startswith("multipart/"):
            pieces = _pieces(body, parameters.get("boundary", ""), MAX_PARTS - opened)
            if pieces:
                stack.extend(_opened(piece, kind, depth, level) for piece in reversed(pieces))
                continue
            kind = "text/plain"
        encoding = headers.get("content-transfer-encoding").strip().lower()
        if depth < MAX_DEPTH and kind in RETURNED_TYPES:
            inner, inner_body = split_headers(decode_transfer(body, encoding).lstrip(b"\n"))
            quoted.append(inner)
            inner_type, inner_parameters = content_type(inner)
            stack.append((inner, inner_type, inner_parameters, inner_body, depth + 1, level + 1))
            continue
        parts.append(Part(headers, kind, parameters.get("charset", ""), encoding, body, level))
    return Mail(top, top_type, top_parameters, tuple(parts), tuple(quoted))


def _opened(piece: bytes, parent: str, depth: int, level: int) -> tuple[Headers, str, dict[str, str], bytes, int, int]:
    headers, body = split_headers(piece)
    kind, parameters = content_type(headers)
    if parent == "multipart/digest" and "content-type" not in headers:
        kind = "message/rfc822"
    return headers, kind, parameters, body, depth + 1, level


def split_headers(data: bytes) -> tuple[Headers, bytes]:
    """The header block and what follows. Without a field in its first line there is no header block."""
    if data.startswith(b"\n"):
        return Headers([]), data[1:]
    if not _FIRST_FIELD.match(data):
        return Headers([]), data
    end = data.find(b"\n\n")
    block, body = (data, b"") if end < 0 else (data[:end], data[end + 2 :])
    fields = [
        (name.decode("ascii").lower(), _unfolded(value)) for name, value in _FIELD.findall(block[:MAX_HEADER_OCTETS])
    ]
    return Headers(fields), body


def _unfolded(value: bytes) -> str:
    try:
        text = value[:MAX_VALUE_CHARACTERS].decode()
    except UnicodeDecodeError:
        text = value[:MAX_VALUE_CHARACTERS].decode("latin-1")
    return _FOLD.sub(" ", text).strip() if "\n" in text else text.rstrip()


def content_type(headers: Headers) -> tuple[str, dict[str, str]]:
    """Type and parameters; text/plain where nothing usable is said (RFC 2045, section 5.2)."""
    value = headers.get("content-type")
    kind, separator, _ = value.partition(";")
    kind = kind.strip().lower()
    if "/" not in kind:
        kind = "text/plain"
    if not separator:
        return kind, {}
    found = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(value)}
    return kind, found


def _pieces(body: bytes, boundary: str, most: int) -> list[bytes]:
    """The parts between the delimiters (RFC 2046, section 5.1.1). An unnamed boundary is guessed from the first line
    that looks like one: folded headers lose it."""
    if most < 1:
        return []
    delimiter = boundary.strip().encode("utf-8", "replace")
    if not delimiter:
        match = _FIRST_DELIMITER.search(body[:MAX_HEADER_OCTETS])
        if match is None:
            return []
        delimiter = match[1].rstrip()
    chunks = (b"\n" + body).split(b"\n--" + delimiter, most)
    pieces: list[bytes] = []
    for chunk in chunks[1:]:
        if chunk.startswith(b"--") and not chunk[2:].split(b"\n", 1)[0].strip():
            break
        line, newline, rest = chunk.partition(b"\n")
        if line.strip():  # a longer boundary that begins alike
            if pieces:
                pieces[-1] += b"\n--" + delimiter + chunk
            continue
        if newline:
            pieces.append(rest)
    return pieces


def decode_transfer(raw: bytes, encoding: str) -> bytes:
    """Undo a transfer encoding (RFC 2045, section 6); what is broken is decoded as far as it goes."""
    if encoding == "quoted-printable":
        return binascii.a2b_qp(raw)
    if encoding == "base64":
        return _base64(raw)
    return raw


def _base64(raw: bytes) -> bytes:
    compact = b"".join(raw.split())
    try:
        return b64decode(compact[: len(compact) // 4 * 4])
    except (binascii.Error, ValueError):
        return raw


def decode_charset(raw: bytes, charset: str) -> str:
    """Text in the charset that is named, or what it most likely is."""
    codec = _codec(charset.strip().lower()) if charset else None
    if codec is None or codec == "ascii":
        try:
            return raw.decode()
        except UnicodeDecodeError:
            if b"\x1b$" in raw:
                return raw.decode("iso2022_jp", "replace")
            return raw.decode("utf-8" if codec is None and _mostly_utf8(raw) else "latin-1", "replace")
    try:
        return raw.decode(codec, "replace")
    except (UnicodeError, ValueError, LookupError):
        return raw.decode("latin-1")


def _mostly_utf8(raw: bytes) -> bool:
    text = raw[:4096].decode("utf-8", "replace")
    return text.count("\ufffd") * 20 < len(text)


@lru_cache(maxsize=256)
def _codec(name: str) -> str | None:
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        return None
    if info.name.replace("_", "-") in _CHARSET_HAZARDS or not getattr(info, "_is_text_encoding", True):
        return None
    return info.name


def words(value: str) -> str:
    """A header value with its encoded words (RFC 2047) as text."""
    return _ENCODED_WORD.sub(_word, value) if "=?" in value else value


def _word(match: re.Match[str]) -> str:
    charset, encoding, content = match.groups()
    raw = content.encode("latin-1", "replace")
    raw = _base64(raw) if encoding in "bB" else binascii.a2b_qp(raw, header=True)
    return decode_charset(raw, charset)


def own_parts(mail: Mail, types: set[str]) -> Iterator[Part]:
    """The leaves of these types that are not part of a quoted message."""
    return (part for part in mail.parts if part.level == 0 and part.type in types)
