"""Secrets at rest: what the database holds of a password is ciphertext only."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SealBroken(Exception):
    """A stored secret cannot be read with the present SECRET_KEY. ``str()`` is a sentence for people."""


def _box() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet(
        [Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"seal:" + key.encode()).digest())) for key in keys]
    )


def seal(secret: str) -> str:
    """Ciphertext of ``secret`` (Fernet: AES-128-CBC with HMAC-SHA256) under SECRET_KEY; the empty text stays empty."""
    return _box().encrypt(secret.encode()).decode() if secret else ""


def unseal(sealed: str) -> str:
    """The secret behind ``sealed``. Raises :class:`SealBroken` when no present or former SECRET_KEY fits."""
    try:
        return _box().decrypt(sealed.encode()).decode() if sealed else ""
    except InvalidToken:
        raise SealBroken(
            "A stored password cannot be read: SECRET_KEY has changed. "
            "Put the former key into SECRET_KEY_FALLBACKS, or type the password again."
        ) from None
