"""Additional SMTP headers of one message: a rendered script turned into header fields."""

import re
from collections.abc import Callable, Mapping
from email.utils import parseaddr

from deliveries.personalization.errors import ValueProblem
from deliveries.rendering import encode
from deliveries.rendering.encode import MessageError

WHERE = "the additional SMTP headers"

_LIST_ID = re.compile(r"([^<>]*?)\s*<([A-Za-z0-9.-]+)>")


def value_of_one_line(text: str) -> str:
    """A value as it may stand in the script. Raises :class:`ValueProblem`: a line break would begin another header."""
    try:
        encode.check_value(WHERE, text)
    except MessageError as error:
        raise ValueProblem(str(error)) from None
    return text


def fields(script: str) -> list[bytes]:
    """Header fields, each ended by CRLF, of a script whose conditions and values are resolved.

    Values are encoded (RFC 2047) and folded; a header without a value is left out. Raises :class:`MessageError` when
    one stands twice, because of conditions that hold together.
    """
    found: dict[str, bytes] = {}
    for line in script.split("\n"):
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if not colon or not value:
            continue
        if name.lower() in found:
            raise MessageError(f"In {WHERE}, “{name}” stands twice for this message. Correct the conditions.")
        found[name.lower()] = _STRUCTURED.get(name.lower(), encode.header)(name, value)
    return list(found.values())


def _address(name: str, value: str) -> bytes:
    display_name, address = parseaddr(value)
    return encode.address_header(name, display_name, encode.wire_address(f"{name} in {WHERE}", address or value))


def _list_id(name: str, value: str) -> bytes:
    """A phrase that may be encoded and an identifier that may not (RFC 2919, section 2)."""
    written = _LIST_ID.fullmatch(value)
    if written is None:
        raise MessageError(f"In {WHERE}, {name} must look like Name <list.example.com>.")
    if not written[1]:
        return encode.header(name, value)
    return encode.address_header(name, written[1], written[2])


_STRUCTURED: Mapping[str, Callable[[str, str], bytes]] = {"reply-to": _address, "list-id": _list_id}
"""Headers whose value is not just text."""
