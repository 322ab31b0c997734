"""Public message identifiers: short, unguessable, and silent about the person.

An identifier is base64url without padding (RFC 4648, section 5) of ``content_id`` (4 bytes, big endian),
``message_id`` (8 bytes) and the first 16 bytes of HMAC-SHA256(content key, purpose || those 12 bytes). The key belongs
to the content, so what a message shows depends on rows only, never on the installation's secret.
"""

import base64
import binascii
import hashlib
import hmac
import re
import struct
from dataclasses import dataclass
from functools import lru_cache

MIRROR = b"m"
UNSUBSCRIBE = b"u"
RETURN = b"r"
UNSUBSCRIBE_BY_MAIL = b"s"
LINK = b"c"

MAC_BYTES = 16
RETURN_MAC_BYTES = 12
RETURN_CHARACTERS = 32
LINK_MAC_BYTES = 13
LINK_SUFFIX_CHARACTERS = 9
LINK_CHARACTERS = 49
MAX_LINK = 0xFFF
_NUMBERS = struct.Struct(">IQ")
_TOKEN_BYTES = _NUMBERS.size + MAC_BYTES


_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_BLOCK = 64
_INNER = bytes(octet ^ 0x36 for octet in range(256))
_OUTER = bytes(octet ^ 0x5C for octet in range(256))
_PAIRS = [first + second for first in _LETTERS for second in _LETTERS]


class InvalidToken(ValueError):
    """The text is no identifier this project could have made."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """The parts of a token; nothing in it may be trusted before :func:`verify`."""

    content_id: int
    message_id: int
    mac: bytes


def token(purpose: bytes, content_id: int, message_id: int, key: bytes) -> str:
    """The identifier (38 characters) of a message for one purpose, such as :data:`MIRROR`."""
    numbers = _NUMBERS.pack(content_id, message_id)
    return _encode(numbers + _mac(purpose, numbers, key))


def split(token: str) -> Identifier:
    """The parts of ``token``. Raises :class:`InvalidToken` unless it is spelled exactly as :func:`token` does."""
    try:
        data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidToken("This is not a message identifier.") from None
    # Base64 has several spellings of the same bytes; only ours is accepted, so an identifier has one address.
    if len(data) != _TOKEN_BYTES or _encode(data) != token:
        raise InvalidToken("This is not a message identifier.")
    content_id, message_id = _NUMBERS.unpack_from(data)
    return Identifier(content_id, message_id, data[_NUMBERS.size :])


def verify(purpose: bytes, identifier: Identifier, key: bytes) -> bool:
    """Whether ``identifier`` was made for ``purpose`` with ``key``; the comparison takes constant time."""
    numbers = _NUMBERS.pack(identifier.content_id, identifier.message_id)
    return hmac.compare_digest(identifier.mac, _mac(purpose, numbers, key))


def return_token(message_id: int, key: bytes, purpose: bytes = RETURN) -> str:
    """The identifier (32 characters) of a message in its return path: base32 in small letters (RFC 4648, section 6),
    because mail servers may change the case of an address, of the message id (8 bytes) and 12 bytes of its HMAC.

    With the purpose :data:`UNSUBSCRIBE_BY_MAIL` it names the message in the address that takes unsubscriptions.
    """
    number = message_id.to_bytes(8)
    return _base32(number + _mac(purpose, number, key)[:RETURN_MAC_BYTES])


def split_return(token: str) -> tuple[int, bytes]:
    """Message id and code of a return path's identifier; nothing in it may be trusted before :func:`verify_return`.

    Raises :class:`InvalidToken`.
    """
    try:
        data = base64.b32decode(token, casefold=True)
    except (binascii.Error, ValueError):
        raise InvalidToken("This is not the identifier of a return path.") from None
    if len(token) != RETURN_CHARACTERS:
        raise InvalidToken("This is not the identifier of a return path.")
    return int.from_bytes(data[:8]), data[8:]


def verify_return(message_id: int, mac: bytes, key: bytes, purpose: bytes = RETURN) -> bool:
    """Whether the identifier was made for ``purpose`` with ``key``; the comparison takes constant time."""
    return hmac.compare_digest(mac, _mac(purpose, message_id.to_bytes(8), key)[:RETURN_MAC_BYTES])


def own_names(message_id: int, key: bytes) -> tuple[str, str]:
    """Local part of the Message-ID and MIME boundary of a message, 32 hexadecimal digits each: they are its own, stand
    in no author's text, and cannot be guessed without ``key``."""
    digits = hmac_sha256(key, b"names" + message_id.to_bytes(8)).hex()
    return digits[:32], digits[32:]


@dataclass(frozen=True, slots=True)
class LinkIdentifier:
    """The parts of a link's identifier; nothing in it may be trusted before :func:`verify_link`."""

    content_id: int
    message_id: int
    link: int
    text: str


def link_prefix(content_id: int, message_id: int, key: bytes) -> str:
    """The first 40 characters of the identifiers of a message's links: base32 in small letters of content, message and
    104 bits of their code. Mail gateways may change the case of letters."""
    numbers = _NUMBERS.pack(content_id, message_id)
    return _base32(numbers + _mac(LINK, numbers, key)[:LINK_MAC_BYTES])


def link_suffix(link: int, key: bytes) -> str:
    """The last 9 characters of the identifier of a link, the same for all messages of a content, in hexadecimal: 24
    bits of the link's code, and its number. They keep anybody from making up a number."""
    return f"{_mac(LINK, link.to_bytes(2), key)[:3].hex()}{link:03x}"


_LINK = re.compile(r"(?P<message>[a-z2-7]{40})[0-9a-f]{6}(?P<link>[0-9a-f]{3})")


def split_link(token: str) -> LinkIdentifier:
    """The parts of a link's identifier: a message's prefix and a link's suffix.

    Raises :class:`InvalidToken` for anything that cannot be one.
    """
    match = _LINK.fullmatch(token)
    if match is None:
        raise InvalidToken("This is not the identifier of a link.")
    content_id, message_id = _NUMBERS.unpack_from(base64.b32decode(match["message"], casefold=True))
    return LinkIdentifier(content_id, message_id, int(match["link"], 16), token)


def verify_link(identifier: LinkIdentifier, key: bytes) -> bool:
    """Whether both parts of the identifier were made with ``key``; the comparison takes constant time."""
    prefix = link_prefix(identifier.content_id, identifier.message_id, key)
    return hmac.compare_digest(identifier.text, prefix + link_suffix(identifier.link, key))


def _mac(purpose: bytes, numbers: bytes, key: bytes) -> bytes:
    return hmac_sha256(key, purpose + numbers)[:MAC_BYTES]


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104). Every message needs it six times; with the key's half worked out once it takes a fifth
    of the time of :func:`hmac.digest`."""
    inner, outer = _keyed(key)
    within = inner.copy()
    within.update(data)
    around = outer.copy()
    around.update(within.digest())
    return around.digest()


@lru_cache(maxsize=256)
def _keyed(key: bytes) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """The two hashes after their first block (RFC 2104, section 4)."""
    block = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\0")
    return hashlib.sha256(block.translate(_INNER)), hashlib.sha256(block.translate(_OUTER))


def _base32(data: bytes) -> str:
    """Bytes (a multiple of five) as base32 in small letters. Every message needs this thrice, and the standard
    library's takes four times as long."""
    number = int.from_bytes(data)
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(len(data) * 8 - 10, -1, -10)])


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
