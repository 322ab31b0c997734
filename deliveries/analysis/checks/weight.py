"""What the messages weigh, as they would be sent."""

from collections.abc import Iterator
from typing import Final

from deliveries.analysis.checks.registry import Phase, check
from deliveries.analysis.material import Material

CLIPPED: Final = 102 * 1024
"""Octets of HTML that Gmail shows; what follows stands behind a link."""
REFUSED: Final = 10_240_000
"""Octets of a whole message: Postfix refuses more unless it is told otherwise, and other servers have such limits."""


@check("Clipped messages", order=105, phase=Phase.MESSAGES)
def html_is_shown_whole(material: Material) -> Iterator[str]:
    """Gmail cuts off long HTML, and with it the unsubscription link and what counts opens."""
    compiled = material.compiled
    if compiled is None or compiled.text_only:
        return
    made = material.sample.made
    if clipped := [one for one in made if one.html_size > CLIPPED]:
        largest = max(clipped, key=lambda one: one.html_size)
        yield (
            f"Gmail shows the first 102 KB of the HTML only. {len(clipped):,} of the {len(made):,} messages tried are "
            f"longer, such as the one to {largest.address} ({largest.html_size / 1024:,.0f} KB). Shorten the content: "
            "comments, styles that nothing uses and repeated inline styles first."
        )


@check("Weight of the messages", order=106, phase=Phase.MESSAGES)
def messages_are_light(material: Material) -> Iterator[str]:
    """Servers refuse large messages, and every recipient's mailbox has to keep one."""
    if heavy := [one for one in material.sample.made if one.size > REFUSED]:
        largest = max(heavy, key=lambda one: one.size)
        yield (
            f"The message to {largest.address} weighs {largest.size / 1_000_000:.1f} MB with its files; many servers "
            f"refuse more than {REFUSED / 1_000_000:.0f} MB. Put files on a web server and link them."
        )
