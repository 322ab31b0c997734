"""What every client of a mail server needs: TLS that checks certificates, and a sentence when nothing came of it."""

import re
import socket
import ssl
from functools import lru_cache
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import models

_MORE_THAN_A_HOST = re.compile(r"[/@\s]|^[^:]*:[^:]*$")
"""Spaces, parts of an address of the Web or of a mailbox, one colon (an IPv6 address has at least two)."""

_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})
"""What OpenSSL says to octets that were never meant as TLS."""

_OUT_OF_TIME = frozenset({9, 10})
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""

_RENEW = "Whoever runs the server has to renew it; check the clock of this host as well."


class Security(models.TextChoices):
    """How a connection is encrypted: not, by STARTTLS (RFC 3207, RFC 2595), or from the first octet (RFC 8314)."""

    NONE = "none", "None"
    STARTTLS = "starttls", "STARTTLS"
    TLS = "tls", "TLS from the start"


def in_plain_text(host: str, security: str) -> bool:
    """Whether others on the way can read what a server is told: it leaves this host without encryption."""
    return security == Security.NONE and host not in {"localhost", "127.0.0.1", "::1"}


class AuthorityUnusable(OSError):
    """The authority file is not there, may not be read, or holds no certificate."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(reason)
        self.file = file


def tls_context(authority_file: str = "", *, certificate_checks: bool = True) -> ssl.SSLContext:
    """How a client encrypts: it trusts the system's authorities, or only the one in the PEM file named.

    Raises :class:`AuthorityUnusable`.
    """
    try:
        changed_at = Path(authority_file).stat().st_mtime if authority_file else 0.0
        return _context(authority_file, changed_at, certificate_checks)
    except OSError as error:
        raise AuthorityUnusable(authority_file, error.strerror or str(error)) from error


@lru_cache(maxsize=8)
def _context(authority_file: str, changed_at: float, certificate_checks: bool) -> ssl.SSLContext:  # noqa: FBT001
    """Reading the authorities takes some 20 ms, hence kept until the file is changed."""
    context = ssl.create_default_context(cafile=authority_file or None)
    if not certificate_checks:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def check_host(host: str) -> None:
    """Raise ValidationError, for the field ``host``, unless it is one name or address and nothing else."""
    if _MORE_THAN_A_HOST.search(host):
        raise ValidationError(
            {"host": "Write the name or the address alone, such as mail.example.com; the port has its own field."}
        )


def encryption(connection: socket.socket | None) -> str:
    """How an open connection is encrypted, in some words."""
    if not isinstance(connection, ssl.SSLSocket):
        return "not encrypted"
    checked = connection.context.verify_mode is not ssl.CERT_NONE
    version = (connection.version() or "TLS").replace("TLSv", "TLS ")
    return f"{version}, {'certificate valid' if checked else 'certificate not checked'}"


def why_not(error: Exception, *, protocol: str, host: str, port: int, settings: str) -> str | None:
    """Why no connection came about and what to mend, for the failures that every protocol has; None for others.

    `settings` is where a person mends it, such as “the route “Main””.
    """
    where = f"The {protocol} server {host}:{port}"
    match error:
        case AuthorityUnusable():
            return (
                f"The authority file {error.file} of {settings} cannot be used on this host ({error}). "
                "Put a PEM file there that workers may read."
            )
        case socket.gaierror():
            return (
                f"The name of the {protocol} server {host} was not found. "
                f"Check host of {settings} and the DNS ({error.strerror})."
            )
        case ConnectionRefusedError():
            return f"{where} refused the connection. Check host and port of {settings}."
        case ssl.SSLCertVerificationError():
            return f"{where} showed a certificate that is not valid for it: {error.verify_message.rstrip('.')}. " + (
                _RENEW if error.verify_code in _OUT_OF_TIME else f"Check host and certificate authority of {settings}."
            )
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return None  # closed while encrypting: the protocol knows at which step
        case ssl.SSLError() if error.reason in _NO_TLS:
            return f"{where} answered, but not in TLS. Check port and security of {settings}."
        case ssl.SSLError():
            return f"{where} did not agree on encryption ({error.reason}). Check port and security of {settings}."
        case _:
            return None
