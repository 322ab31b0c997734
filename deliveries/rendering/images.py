"""Images that travel inside a message, for browsers, which cannot ask for them by ``cid:``. PURE."""

import re
from collections.abc import Mapping
from typing import Final

MOST_REPEATED: Final = 5_000_000
"""Octets of addresses that stand again in one page. An address may hold its image, and authors repeat pictures."""

_REFERENCE = re.compile(r"""(?<=["'(=\s])cid:([^"'()<>\s]+)(?=["')\s>])""")


def with_image_addresses(html: str, addresses: Mapping[str, str]) -> str:
    """The HTML with an address in place of each ``cid:identifier`` that is in ``addresses``; all else as it was.

    Each address is placed once, and again while what is repeated has no more than MOST_REPEATED octets.
    """
    if not addresses:
        return html
    placed: set[str] = set()
    left = MOST_REPEATED

    def place(found: re.Match[str]) -> str:
        nonlocal left
        identifier = found[1]
        address = addresses.get(identifier, found[0])
        if identifier in placed:
            if len(address) > left:
                return found[0]
            left -= len(address)
        placed.add(identifier)
        return address

    return _REFERENCE.sub(place, html)
