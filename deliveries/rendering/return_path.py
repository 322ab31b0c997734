"""The envelope sender: the error address with the identifier of its message in it (VERP). PURE.

A bounce comes back to the envelope sender (RFC 5321, section 4.4), often without anything else that could be trusted.
So the address itself names the message, signed, in letters and digits that survive a change of case.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from urllib.parse import quote

from campaign.lib.signing import RETURN_CHARACTERS
from deliveries.rendering.encode import MessageError

MAX_LOCAL_OCTETS = 64
"""RFC 5321, section 4.5.3.1.1."""

SEPARATOR = "+"


class ReturnPath(StrEnum):
    """Where in the error address the identifier stands."""

    SUB_ADDRESS = "sub-address"
    """``bounces+identifier@example.com``: one mailbox whose server knows sub-addresses (RFC 5233)."""
    DOMAIN = "domain"
    """``identifier@example.com``: a domain that is there for bounces alone and takes every address."""
    PLAIN = "plain"
    """The error address as it is; a bounce is then found by what it quotes."""


MOST_LOCAL = MAX_LOCAL_OCTETS - RETURN_CHARACTERS - len(SEPARATOR)
"""Octets before the @ that leave room for a sub-address."""

# Gateways put marks before an address and rewrite + to another character (BATV: prvs=…=local, SRS: …=local).
_TOKEN = re.compile(rf"(?<![a-z0-9])[a-z2-7]{{{RETURN_CHARACTERS}}}(?![a-z0-9])")


def envelope_sender(address: str, form: ReturnPath, token: str) -> str:
    """The error address (as it goes onto the wire) of the message with this token. Raises :class:`MessageError`."""
    local, _, domain = address.rpartition("@")
    match form:
        case ReturnPath.PLAIN:
            return address
        case ReturnPath.DOMAIN:
            return f"{token}@{domain}"
        case ReturnPath.SUB_ADDRESS:
            if len(local.encode()) > MOST_LOCAL or local.startswith('"'):
                raise MessageError(
                    f"The error address “{address[:100]}” leaves no room for the message's identifier: write at most "
                    f"{MOST_LOCAL} characters before the @, without quotes."
                )
            return f"{local}{SEPARATOR}{token}@{domain}"


def unsubscription_mailto(address: str, form: ReturnPath, token: str) -> str:
    """A ``mailto:`` URI (RFC 6068) to the mailbox of the error address that names the message with this token; empty
    where the address does not fit into one, and where only this network knows its domain."""
    local, _, domain = address.rpartition("@")
    if not address.isascii() or local.startswith('"') or "." not in domain:
        return ""
    match form:
        case ReturnPath.PLAIN:
            return f"mailto:{_in_uri(local)}@{domain}?subject=unsubscribe%20{token}"
        case ReturnPath.DOMAIN:
            return f"mailto:{token}@{domain}?subject=unsubscribe"
        case ReturnPath.SUB_ADDRESS:
            if len(local) > MOST_LOCAL:
                return ""
            return f"mailto:{_in_uri(local)}{SEPARATOR}{token}@{domain}?subject=unsubscribe"


def _in_uri(local: str) -> str:
    """A local part as RFC 6068, section 2, wants it."""
    return quote(local, safe="!$'*+-._~")


def tokens_in(address: str) -> Iterator[str]:
    """What may be a token in an address that mail came back to, in any case, whatever was put around it."""
    yield from _TOKEN.findall(address.rpartition("@")[0].lower())
