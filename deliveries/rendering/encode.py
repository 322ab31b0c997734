"""Text into the octets of a mail: header values, addresses, bodies.

RFC 5322 (format), RFC 2045 (transfer encodings), RFC 2047 (encoded words), RFC 2231 (file names), RFC 6532 (UTF-8 headers).
"""

import base64
import binascii
import re
import unicodedata

import idna

LINE = 76
"""Preferred longest line in octets; RFC 5322 section 2.1.1 allows 998."""

_ENCODED_WORD_BYTES = 45  # 60 base64 characters and "=?utf-8?b?" "?=": 72 of the 75 that RFC 2047 section 2 allows
_ATOM_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_TOKEN = re.compile(r"[A-Za-z0-9!#$&+.^_`{|}~-]+")


class MessageError(Exception):
    """This one message cannot be made from its values; the others can. ``str()`` is a sentence for people."""


def check_value(name: str, value: str) -> str:
    """``value`` with spaces around it removed. Raises :class:`MessageError` for anything that could break a header."""
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
    if value.isascii() and "=?" not in value and all(len(word) < 900 for word in value.split(" ")):
        return value.split(" ")
    return encoded_words(value)


def encoded_words(value: str) -> list[str]:
    """RFC 2047 encoded words of at most 75 characters that never split a character."""
    words, chunk = [], b""
    for character in value:
        octets = character.encode()
        if len(chunk) + len(octets) > _ENCODED_WORD_BYTES:
            words.append(chunk)
            chunk = b""
        chunk += octets
    words.append(chunk)
    return [f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in words]


def address_header(name: str, display_name: str, address: str) -> bytes:
    """A header field with one mailbox. ``address`` comes from :func:`wire_address`."""
    if not display_name:
        return _fold(name, [address])
    return _fold(name, [*phrase(display_name), f"<{address}>"])


def phrase(display_name: str) -> list[str]:
    """A display name as RFC 5322 phrase: plain, quoted or encoded, whichever it needs."""
    if not display_name.isascii() or "=?" in display_name or len(display_name) > 900:
        return encoded_words(display_name)
    if _ATOM_PHRASE.fullmatch(display_name):
        return display_name.split(" ")
    escaped = display_name.replace("\\", "\\\\").replace('"', '\\"')
    return [f'"{escaped}"']


def wire_address(name: str, address: str) -> str:
    """An address as it goes into headers and envelope: domain in ASCII (IDNA), local part as it is.

    Raises :class:`MessageError` when it cannot be an address; ``name`` says which one it is.
    """
    address = check_value(name, address)
    local, at, domain = address.rpartition("@")
    quoted = local.startswith('"') and local.endswith('"') and len(local) > 2
    if not (local and at and domain) or (not quoted and re.search(r'[\s<>()\[\],;:\\"@]', local)):
        raise MessageError(f"{name} is not an e-mail address: “{address}”.")
    if domain.isascii() and re.fullmatch(r"[A-Za-z0-9.-]+", domain):
        return f"{local}@{domain}"
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError as error:
        raise MessageError(f"{name} is not an e-mail address: “{address}”.") from error


def parameter(name: str, value: str) -> str:
    """A MIME parameter: a token, a quoted string, or in RFC 2231 form for anything else."""
    if value.isascii() and len(value) < 60:
        if _TOKEN.fullmatch(value):
            return f"{name}={value}"
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{name}="{escaped}"'
    return _rfc2231(name, value)


def _rfc2231(name: str, value: str) -> str:
    """Extended parameter, continued where it is long (RFC 2231, sections 3 and 4)."""
    octets = "".join(
        chr(octet) if chr(octet).isalnum() and octet < 128 or octet in b"-._~" else f"%{octet:02X}"
        for octet in value.encode()
    )
    pieces = re.findall(r"(?:%[0-9A-F]{2}|[^%]){1,18}", octets)
    if len(pieces) == 1:
        return f"{name}*=utf-8''{octets}"
    parts = [f"{name}*{number}*={'' if number else chr(117) + 'tf-8' + chr(39) * 2}{piece}" for number, piece in enumerate(pieces)]
    return ";\r\n ".join(parts)


def _fold(name: str, words: list[str]) -> bytes:
    """Words joined by one space, broken before the line passes 76 octets."""
    lines, line = [], f"{name}:"
    for word in words:
        if len(line.encode()) + 1 + len(word.encode()) > LINE and line.strip() and not line.endswith(":"):
            lines.append(line)
            line = ""
        line += f" {word}"
    lines.append(line)
    folded = "\r\n".join(lines)
    # A line of nothing but white space would end the header block for some parsers.
    folded = re.sub(r"\r\n[ \t]+(?=\r\n|$)", "", folded)
    return folded.encode() + b"\r\n"


def crlf(text: str) -> str:
    """``text`` with every line break, of whatever kind a program wrote, as CRLF."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


def quoted_printable(text: str) -> bytes:
    """A body in quoted-printable (RFC 2045, section 6.7), lines of at most 76 octets ended by CRLF."""
    encoded = binascii.b2a_qp(crlf(text).encode(), quotetabs=False, istext=True)
    return encoded.replace(b"\r\nFrom ", b"\r\n=46rom ").removeprefix(b"\n")


def base64_body(data: bytes) -> bytes:
    """A body in base64 (RFC 2045, section 6.8), lines of 76 octets ended by CRLF."""
    encoded = base64.b64encode(data)
    return b"\r\n".join(encoded[start : start + LINE] for start in range(0, len(encoded), LINE)) + b"\r\n"


def prefers_base64(sample: str) -> bool:
    """Base64 is shorter than quoted-printable when more than a sixth of the octets are not ASCII."""
    octets = sample.encode()
    return sum(octet > 127 for octet in octets) * 6 > len(octets)
