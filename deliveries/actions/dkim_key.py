"""Make a DKIM key, and retire one."""

import base64
import re

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.db import IntegrityError, transaction

from campaign.lib.clock import now
from deliveries.actions.base import ActionRefused
from deliveries.models import Algorithm, DkimKey
from recipients.addresses import AddressError, ascii_domain

RSA_BITS = 2048
_PUBLIC_EXPONENT = 65537
_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_MAX_SELECTOR = 63
_MAX_DOMAIN = 253


def make_key(domain: str, *, algorithm: Algorithm = Algorithm.RSA, selector: str = "") -> DkimKey:
    """A new active key for a sender's domain; without a selector it gets one made of its algorithm and the month.

    Raises :class:`ActionRefused` when the domain or the selector cannot be used or is taken.
    """
    key = new_key(domain, algorithm=algorithm, selector=selector)
    try:
        with transaction.atomic():
            key.save()
    except IntegrityError:
        raise _taken(key.domain, key.selector) from None
    return key


def new_key(domain: str, *, algorithm: Algorithm = Algorithm.RSA, selector: str = "") -> DkimKey:
    """A key as :func:`make_key` makes it, not saved yet. Raises :class:`ActionRefused`."""
    ascii_name = _domain(domain)
    chosen = _selector(selector) if selector.strip() else _free_selector(ascii_name, algorithm)
    if len(f"{chosen}._domainkey.{ascii_name}") > _MAX_DOMAIN:
        raise ActionRefused(
            f"“{chosen}._domainkey.{ascii_name}” is too long for a DNS name. Choose a shorter selector."
        )
    if DkimKey.objects.filter(domain=ascii_name, selector=chosen).exists():
        raise _taken(ascii_name, chosen)
    pem, public = _pair(algorithm)
    key = DkimKey(domain=ascii_name, selector=chosen, algorithm=algorithm, public_key=public)
    key.private_key = pem
    return key


def retire_key(key: DkimKey) -> None:
    """Let no new content take the key; contents that it signs keep it. A second time changes nothing."""
    DkimKey.objects.filter(pk=key.pk).update(active=False)
    key.active = False


def _taken(domain: str, selector: str) -> ActionRefused:
    return ActionRefused(
        f"There already is a key with selector “{selector}” for {domain}. Choose another selector: "
        "a published key is never replaced, so that mails on their way can still be verified."
    )


def _domain(domain: str) -> str:
    try:
        return ascii_domain(domain.strip().removesuffix("."))
    except AddressError as error:
        raise ActionRefused(str(error)) from None


def _selector(selector: str) -> str:
    chosen = selector.strip().lower()
    if len(chosen) > _MAX_SELECTOR or not _SELECTOR.fullmatch(chosen):
        raise ActionRefused(
            f"“{selector[:80]}” is not a selector. "
            f"Use letters, digits and hyphens, at most {_MAX_SELECTOR}, as in news-1."
        )
    return chosen


def _free_selector(domain: str, algorithm: Algorithm) -> str:
    first = f"{algorithm.value}-{now():%Y%m}"
    taken = set(DkimKey.objects.filter(domain=domain).values_list("selector", flat=True))
    names = [first, *(f"{first}-{number}" for number in range(2, len(taken) + 2))]
    return next(name for name in names if name not in taken)


def _pair(algorithm: Algorithm) -> tuple[str, str]:
    """Private key (PEM, PKCS #8) and public key as the DNS record has it (RFC 6376, 3.6.1; RFC 8463, 4.2)."""
    if algorithm is Algorithm.ED25519:
        ed25519 = Ed25519PrivateKey.generate()
        pem = ed25519.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = ed25519.public_key().public_bytes_raw()
    else:
        rsa = generate_private_key(_PUBLIC_EXPONENT, RSA_BITS)
        pem = rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = rsa.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode(), base64.b64encode(public).decode()
