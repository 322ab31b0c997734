"""What stays of an address that must be forgotten: a keyed hash, which only this installation can make again."""

import hashlib
import hmac
from collections.abc import Iterator

from django.conf import settings

_DOMAIN = "@erased.invalid"


def digest(text: str) -> bytes:
    """HMAC-SHA256 of ``text`` under the present SECRET_KEY."""
    return next(digests(text))


def digests(text: str) -> Iterator[bytes]:
    """The same under the present SECRET_KEY, then under each former one that is still accepted."""
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        key = hashlib.sha256(b"pseudonym:" + secret.encode()).digest()
        yield hmac.digest(key, text.encode(), "sha256")


def address(text: str) -> str:
    """An address that stands for ``text`` wherever it is erased: the same for the same person, at a domain that does
    not exist (RFC 2606)."""
    return f"{digest(text).hex()[:24]}{_DOMAIN}"


def is_pseudonym(text: str) -> bool:
    """Whether an address stands for one that was erased."""
    return text.endswith(_DOMAIN)
