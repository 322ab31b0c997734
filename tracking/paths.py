"""The identifier in the path of a request, whatever mail gateways and programs did to the link."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from campaign.lib.signing import LINK_CHARACTERS

CLICK = "c"
OPEN = "o"
MAX_PATH = 1_000
"""Characters that are looked at; what gateways append is shorter."""

_PATH = re.compile(r"/+([co])/+(.+)", re.IGNORECASE | re.DOTALL)
_OTHER = re.compile(r"[^a-z0-9]+")
_UNDECODED = re.compile(r"=(?:3d|\s*\n)?")


def kind_and_rest(path: str) -> tuple[str, str] | None:
    """:data:`CLICK` or :data:`OPEN` and what follows it; ``None`` for a path that is neither."""
    match = _PATH.match(path[:MAX_PATH])
    return (match[1].lower(), match[2]) if match else None


def identifiers_in(rest: str) -> Iterator[str]:
    """What may be the identifier, most likely first. The signature says which one is.

    An identifier has small letters and digits only and a length of its own, so capitals, percent-encoding (also twice),
    punctuation and parameters behind it, and soft line breaks or ``=3D`` of a quoted-printable that nobody decoded can
    be taken out again.
    """
    text = unquote(unquote(rest)).lower()
    first = _OTHER.sub("", text)[:LINK_CHARACTERS]
    yield first
    if "=" in text:
        other = _OTHER.sub("", _UNDECODED.sub("", text))[:LINK_CHARACTERS]
        if other != first:
            yield other
