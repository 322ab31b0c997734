"""Finding mail addresses in what servers write. PURE."""

import re
from collections.abc import Iterator
from typing import Final

MAX_ADDRESS_CHARACTERS: Final = 320
"""64 before the @, 255 after it (RFC 5321, section 4.5.3.1)."""

# Unicode letters are allowed on both sides (RFC 6531). A domain without a dot is one only on a local network.
ADDRESS: Final = (
    r"(?:\"[^\"\n@]{1,64}(?:@[^\"\n@]{1,64})?\"|[^\s<>()\[\]:;,\"'@\\|]['\w!#$%&*+/=?^`{|}~.\u0080-\U0010ffff-]{0,127}|[\w])"
    r"@(?:[\w\u0080-\U0010ffff](?:[\w\u0080-\U0010ffff-]{0,62}[\w\u0080-\U0010ffff])?\.){0,12}"
    r"[\w\u0080-\U0010ffff](?:[\w\u0080-\U0010ffff-]{0,62}[\w\u0080-\U0010ffff])?"
)
# Scripts without blanks write on right after an address, and right before it.
_GLUED_AFTER = re.compile(r"(@[A-Za-z0-9.-]{1,255}\.[A-Za-z]{2,24})[^\x00-\x7f].*$", re.DOTALL)
_GLUED_BEFORE = re.compile(
    r"^[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]{1,64}(?=[A-Za-z0-9])(?=[!-~]{1,64}@[!-~])"
)
_ADDRESS = re.compile(ADDRESS)
_LITERAL = re.compile(r"[^\s<>()\[\]:;,\"'@\\]{1,64}@\[[0-9A-Fa-f:.]{2,45}\]")
_TYPE = re.compile(r"^(?:smtp|rfc-?822(?:-addr)?|mailto|utf-8|x-?notes|mail|to)[=:;]", re.IGNORECASE)
# X.400 and its kin write user(a)host, user%host@gateway, =?user=40host.
_X400 = re.compile(r"(?:smtp|rfc-?822|internet)=([^;/\s]{1,200}?)(?:\(a\)|\+40|@)([^;/\s)]{1,200})", re.IGNORECASE)


def clean(text: str) -> str:
    """The address in a header value or report field, without type, brackets, quotes and comments; empty when none."""
    text = text.strip()
    if "(a)" in text or "=" in text or "+40" in text:
        x400 = _X400.search(text[:1000])
        if x400:
            return f"{x400[1]}@{x400[2]}"
    bracket = text.rfind("<")
    if bracket >= 0 and (end := text.find(">", bracket)) > bracket and "@" in text[bracket:end]:
        text = text[bracket + 1 : end]
    if text.startswith("@") and ":" in text:  # a source route (RFC 5321, appendix C)
        text = text.partition(":")[2]
    for found in iter_addresses(text[:1000]):
        return found
    return ""


def iter_addresses(text: str) -> Iterator[str]:
    """Every address in `text`, in its order."""
    if "@" not in text:
        return
    if "@[" in text:
        yield from _LITERAL.findall(text)
    for found in _ADDRESS.findall(text):
        address = stripped(found)
        if address:
            yield address


def stripped(found: str) -> str:
    """A match of :data:`ADDRESS` without the marks that stood at its edges."""
    if not found.startswith("=?"):  # an encoded word, which servers quote as it is
        found = _TYPE.sub("", found).strip("'*`{}|!?/=")
    if not found.isascii():
        found = _GLUED_BEFORE.sub("", _GLUED_AFTER.sub(r"\1", found))
    address = found.rstrip(".-_")
    local, _, domain = address.rpartition("@")
    if not local or not domain or len(address) > MAX_ADDRESS_CHARACTERS:
        return ""
    return address


def same(one: str, other: str) -> bool:
    """Whether two spellings are one address here: nobody gives out mailboxes that differ in case only."""
    return one.lower() == other.lower()
