"""Images that travel inside a message, for browsers, which cannot ask for them by ``cid:``. PURE."""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"""(?<=["'(=\s])cid:([^"'()<>\s]+)(?=["')\s>])""")


def with_image_addresses(html: str, addresses: Mapping[str, str]) -> str:
    """The HTML with an address in place of each ``cid:identifier`` that is in ``addresses``; all else as it was."""
    if not addresses:
        return html
    return _REFERENCE.sub(lambda found: addresses.get(found[1], found[0]), html)
