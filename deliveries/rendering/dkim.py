"""DKIM signatures (RFC 6376, RFC 8463), the same octets as dkimpy makes them, for mails whose parts are at hand.

Header and body are relaxed/relaxed. Nothing is parsed: the caller knows its header fields and its body. What differs
between two messages of a content is the date, the body's hash and the signature itself; the rest of the signature
field, folding included, is laid out once.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

PrivateKey = RSAPrivateKey | Ed25519PrivateKey

SIGNED = (
    b"from",
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"mime-version",
    b"content-type",
    b"reply-to",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"list-id",
    b"feedback-id",
)
"""Header fields that are signed where a mail has them, in the order of the signature's ``h=``."""

OVERSIGNED = (b"from", b"list-unsubscribe", b"list-unsubscribe-post")
"""Fields that ``h=`` names once more than the mail has them, so that nobody can add one (RFC 6376, section 8.15)."""

LINE = 72
"""Where dkimpy folds the signature field, its name included, in octets."""

_NAME = b"DKIM-Signature"
_PADDING = PKCS1v15()
_HASH = SHA256()
_LOOSE = re.compile(rb" [ \r]")
_RUNS = re.compile(rb"[\t ]+")


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with the place where its public half is published: ``selector._domainkey.domain``, in ASCII."""

    domain: bytes
    selector: bytes
    key: PrivateKey

    @property
    def algorithm(self) -> bytes:
        """The signature's ``a=``."""
        return b"rsa-sha256" if isinstance(self.key, RSAPrivateKey) else b"ed25519-sha256"

    def sign(self, data: bytes) -> bytes:
        """The bare signature of canonical data: PKCS #1 v1.5, or Ed25519 over the hash (RFC 8463, section 3)."""
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(data, _PADDING, _HASH)
        return self.key.sign(hashlib.sha256(data).digest())


def private_key(pem: str) -> PrivateKey:
    """The key in a PEM of ours (PKCS #8, not encrypted). Raises ``ValueError`` or ``TypeError`` for any other kind."""
    key = load_pem_private_key(pem.encode(), password=None)
    if isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        return key
    raise TypeError(f"DKIM does not sign with a {type(key).__name__}.")


def signatures(
    signers: Sequence[Signer], fields: Sequence[bytes], body: Sequence[bytes], timestamp: int, *, is_tight: bool = False
) -> bytes:
    """A ``DKIM-Signature`` field of each signer, to be put before ``fields``.

    ``fields`` are the mail's whole header fields, each ended by CRLF; ``body`` comes in pieces, has CRLF line ends only
    and none of them divided; ``timestamp`` counts seconds since 1970 in UTC and becomes ``t=``. ``is_tight`` says that
    the body has no tab, no two blanks together and none at the end of a line, so that nobody has to look.
    """
    h, data = _signed_fields(fields)
    canonical = hashlib.sha256()
    for piece in _relaxed(body, is_tight=is_tight):
        canonical.update(piece)
    body_hash = base64.b64encode(canonical.digest())
    seconds = str(timestamp).encode()
    return b"".join([_field(signer, h, data, body_hash, seconds) for signer in signers])


def _relaxed(body: Sequence[bytes], *, is_tight: bool) -> Sequence[bytes]:
    """The canonical body in pieces, those that are tight as they are."""
    *others, last = body
    if is_tight and (end := _without_empty_end(last)):
        return *others, end
    return (relaxed_body(b"".join(body)),)


def relaxed_body(body: bytes) -> bytes:
    """``body`` with runs of blanks made one, blanks and empty lines at the end removed (RFC 6376, section 3.4.4)."""
    if b"\t" in body:
        body = body.replace(b"\t", b" ")
    # One look finds most mails tight already: base64 has no blanks, quoted-printable none at the end of a line.
    if _LOOSE.search(body):
        while b"  " in body:  # halves the longest run each time
            body = body.replace(b"  ", b" ")
        body = body.replace(b" \r\n", b"\r\n")
    return _without_empty_end(body)


def is_tight(data: bytes) -> bool:
    """``data`` has no tab, no two blanks together and none at the end of a line."""
    return b"\t" not in data and _LOOSE.search(data) is None


def _without_empty_end(body: bytes) -> bytes:
    end = len(body)
    while body.endswith(b"\r\n\r\n", 0, end):
        end -= 2
    body = body[:end]
    if body in {b"", b"\r\n"}:
        return b""
    return body if body.endswith(b"\r\n") else body + b"\r\n"


@lru_cache(maxsize=256)  # most fields of a mail are those of the mail before
def relaxed_field(field: bytes) -> tuple[bytes, bytes]:
    """Name and canonical form, ended by CRLF, of one header field (RFC 6376, section 3.4.2)."""
    name, _, value = field.partition(b":")
    name = name.rstrip().lower()
    return name, name + b":" + _relaxed_value(value) + b"\r\n"


def _relaxed_value(value: bytes) -> bytes:
    value = value.replace(b"\r\n", b"").strip()
    return _RUNS.sub(b" ", value) if b"  " in value or b"\t" in value else value


def _signed_fields(fields: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The value of ``h=`` and the canonical fields it names; of a repeated one the last comes first."""
    found: dict[bytes, list[bytes]] = {}
    for field in fields:
        name, canonical = relaxed_field(field)
        found.setdefault(name, []).append(canonical)
    names, data = [], []
    for name in SIGNED:
        for canonical in reversed(found.get(name, ())):
            names.append(name)
            data.append(canonical)
    return b" : ".join([*names, *OVERSIGNED]), b"".join(data)


def _field(signer: Signer, h: bytes, data: bytes, body_hash: bytes, seconds: bytes) -> bytes:
    """One signature field, ended by CRLF."""
    frame = _frame(signer.domain, signer.selector, signer.algorithm, h, len(seconds))
    signature = base64.b64encode(signer.sign(data + frame.canonical(seconds, body_hash)))
    value = b"b=" + signature
    width = LINE - 1
    lines = b"\r\n ".join([value[start : start + width] for start in range(0, len(value), width)])
    return frame.written(seconds, body_hash) + lines + b"\r\n"


_Pieces = tuple[bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class _Frame:
    """What surrounds date and body hash in a signature field, as it is written and as it is signed."""

    as_written: _Pieces
    as_signed: _Pieces

    def written(self, seconds: bytes, body_hash: bytes) -> bytes:
        """The folded field up to the line of its ``b=``."""
        return self.as_written[0] + seconds + self.as_written[1] + body_hash + self.as_written[2]

    def canonical(self, seconds: bytes, body_hash: bytes) -> bytes:
        """The canonical field with an empty ``b=`` and no line end (RFC 6376, section 3.7)."""
        return self.as_signed[0] + seconds + self.as_signed[1] + body_hash + self.as_signed[2]


_SECONDS = b"\x00"
_BODY_HASH = b"\x01" * 44


@lru_cache(maxsize=1024)
def _frame(domain: bytes, selector: bytes, algorithm: bytes, h: bytes, digits: int) -> _Frame:
    seconds = _SECONDS * digits
    tags = (
        b"v=1",
        b"a=" + algorithm,
        b"c=relaxed/relaxed",
        b"d=" + domain,
        b"i=@" + domain,
        b"q=dns/txt",
        b"s=" + selector,
        b"t=" + seconds,
        b"h=" + h,
        b"bh=" + _BODY_HASH,
    )
    written = _NAME + b": " + _fold(b"; ".join(tags) + b"; ")
    return _Frame(
        as_written=_split(written, seconds),
        as_signed=_split(relaxed_field(written + b"b=")[1].removesuffix(b"\r\n"), seconds),
    )


def _split(field: bytes, seconds: bytes) -> _Pieces:
    before, _, rest = field.partition(seconds)
    between, _, after = rest.partition(_BODY_HASH)
    return before, between, after


def _fold(value: bytes) -> bytes:
    """``value`` folded so that a long word after it stands on a line of its own.

    Lines are broken at the last blank that fits; a word without a blank, such as a long domain, is broken anywhere.
    """
    width, lines = LINE - len(_NAME), []
    rest = value
    while rest:
        # A long word is going to follow: to the end of the value, every blank in reach is a place to break.
        space = rest.rfind(b" ", 0, width)
        if space >= 0:
            lines.append(rest[:space])
            rest = rest[space + 1 :]
        else:
            lines.append(rest[:width])
            rest = rest[width:]
        width = LINE - 1
    return b"\r\n ".join([*lines, b""])
