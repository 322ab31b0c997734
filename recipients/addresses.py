"""E-mail addresses: well formed or not, and when two of them are the same mailbox. PURE.

RFC 5321 section 4.1.2 (Mailbox) and RFC 6531 section 3.3 (the same in Unicode); no comments, no address literals.
"""

import re
import unicodedata
from functools import lru_cache

import idna

MAX_ADDRESS_OCTETS = 254
MAX_LOCAL_OCTETS = 64

_ASCII_FAST = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])"
)
_DOT_ATOM = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+)*"
)
_QUOTED = re.compile(r'"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"')

_ESCAPED = re.compile(r"\\(.)")
_TO_ESCAPE = re.compile(r'["\\]')


class AddressError(ValueError):
    """The text is no e-mail address. ``str()`` says why, in a sentence for people."""


def normalise(address: str) -> str:
    """The address as it is kept: spaces around it removed, Unicode composed (NFC), domain in small letters.

    Raises :class:`AddressError`.
    """
    stripped = address.strip()
    if len(stripped) <= MAX_ADDRESS_OCTETS and _ASCII_FAST.fullmatch(stripped):
        local, _, domain = stripped.rpartition("@")
        if len(local) <= MAX_LOCAL_OCTETS and "xn--" not in domain.lower() and "--" not in domain:
            return f"{local}@{domain.lower()}"
    return _normalise_slowly(stripped)


def key(address: str) -> str:
    """The form under which an address is unique: local part without regard to case, domain in ASCII (IDNA).

    RFC 5321 leaves the case of a local part to its host; no host in use distinguishes two people by it.
    Raises :class:`AddressError`.
    """
    local, _, domain = normalise(address).rpartition("@")
    return f"{_fold(local)}@{domain if domain.isascii() else ascii_domain(domain)}"


def unquoted(address: str) -> str:
    """The address, which :func:`normalise` gave, with no quotes and backslashes that it can do without: each way to
    write them means the same mailbox (RFC 5321, section 4.1.2)."""
    local, _, domain = address.rpartition("@")
    if not local.startswith('"'):
        return address
    meant = _ESCAPED.sub(r"\1", local[1:-1])
    if _DOT_ATOM.fullmatch(meant) and not any(map(str.isspace, meant)):
        return f"{meant}@{domain}"
    escaped = _TO_ESCAPE.sub(r"\\\g<0>", meant)
    return f'"{escaped}"@{domain}'


def _fold(local: str) -> str:
    if local.isascii():
        return local.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).casefold())


def _normalise_slowly(address: str) -> str:
    if not address:
        raise AddressError("The address is empty.")
    for character in address:
        if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp", "Cs"}:
            raise AddressError(f"The address contains a control character (U+{ord(character):04X}). Remove it.")
    address = unicodedata.normalize("NFC", address)
    local, at, domain = address.rpartition("@")
    if not at:
        raise AddressError(f"“{address}” has no @ sign. An address looks like name@example.com.")
    if not local or not domain:
        raise AddressError(f"“{address}” is incomplete. An address looks like name@example.com.")
    if not (_DOT_ATOM.fullmatch(local) and not any(map(str.isspace, local))) and not _QUOTED.fullmatch(local):
        raise AddressError(
            f"“{local}” cannot stand before the @ sign: a space, a dot too many or a forbidden character."
        )
    if len(local.encode()) > MAX_LOCAL_OCTETS:
        raise AddressError(f"The part before the @ sign is longer than {MAX_LOCAL_OCTETS} bytes.")
    shown = shown_domain(domain)
    if len(f"{local}@{ascii_domain(shown)}".encode()) > MAX_ADDRESS_OCTETS:
        raise AddressError(f"The address is longer than {MAX_ADDRESS_OCTETS} bytes.")
    return f"{local}@{shown}"


def shown_domain(domain: str) -> str:
    """A complete domain name as addresses are kept with it: in Unicode and small letters. Raises
    :class:`AddressError`."""
    try:
        return idna.decode(ascii_domain(domain))
    except idna.IDNAError as error:
        raise AddressError(f"“{domain}” is not a domain name. Check its spelling.") from error


@lru_cache(maxsize=10_000)
def ascii_domain(domain: str) -> str:
    """A complete domain name in ASCII (IDNA) and small letters. Raises :class:`AddressError`."""
    try:
        encoded = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii").lower()
    except idna.IDNAError as error:
        raise AddressError(f"“{domain}” is not a domain name. Check its spelling.") from error
    if "." not in encoded or encoded.endswith("."):
        raise AddressError(f"“{domain}” is not a complete domain name. It looks like example.com.")
    if encoded.rpartition(".")[2].isdigit():
        raise AddressError(f"“{domain}” ends with a number. It looks like example.com.")
    return encoded
