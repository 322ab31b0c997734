"""Web addresses as links carry them: their host, parameters that are added, and what a header can hold. PURE."""

import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit, urlunsplit

import idna

Parameters = Sequence[tuple[str, str]]
"""Names and values, not encoded."""

_HOST = re.compile(r"https?://([^/?#\\\s@]+)(?=[/?#]|\Z)", re.IGNORECASE)
_NAMES = re.compile(r"[?&;]([^=&;#]*)")
_KEPT = "!#$%&'()*+,/:;=?@[]~"


def fixed_host(address: str) -> str:
    """Host and port, in small letters, of an address whose expressions have placeholders.

    Empty when it is no web address, names a user, or a placeholder may be part of its host.
    """
    match = _HOST.match(address)
    return match[1].lower() if match and "\ue000" not in match[1] else ""


def with_parameters(address: str, parameters: Parameters, joint: str = "&") -> str:
    """``address`` with the parameters that it lacks, before its fragment; what is there already stays.

    ``joint`` stands between two parameters: ``&amp;`` in an attribute.
    """
    before, mark, fragment = address.partition("#")
    present = {name.removeprefix("amp;") for name in _NAMES.findall(before)}
    missing = [(name, value) for name, value in parameters if name not in present]
    if not missing:
        return address
    added = joint.join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in missing)
    if "?" not in before:
        before += "?"
    elif not before.endswith(("?", "&", joint)):
        before += joint
    return f"{before}{added}{mark}{fragment}"


def as_location(url: str) -> str:
    """``url`` in ASCII, as a ``Location`` header needs it (RFC 9110, section 10.2.2). Raises ``ValueError``.

    The host becomes its A-label; everything else that an address cannot hold is percent-encoded.
    """
    parts = urlsplit(url.strip())
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValueError("This is not a web address.")
    host = parts.hostname
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            raise ValueError("This host cannot be written in ASCII.") from None
    if ":" in host:
        host = f"[{host}]"
    netloc = f"{host}:{parts.port}" if parts.port else host
    return quote(urlunsplit((parts.scheme.lower(), netloc, parts.path, parts.query, parts.fragment)), safe=_KEPT)
