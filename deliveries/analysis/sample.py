"""Render a sample of the real messages, so that what only shows with data shows before the send."""

import time
from collections import defaultdict
from collections.abc import Iterator

from deliveries.analysis.checks import Finding
from deliveries.models import Content, Level
from deliveries.rendering.compile import Compiled
from deliveries.rendering.merge import MessageError, Renderer
from deliveries.rows import sample_rows

SAMPLE = 200
MOST_CAUSES = 5


def sample_findings(content: Content, compiled: Compiled) -> Iterator[Finding]:
    """A warning for each cause for which messages of the sample cannot be made (they fail, the others leave)."""
    tried = 0
    failing: dict[str, list[str]] = defaultdict(list)
    renderer = Renderer(compiled, content.pk, bytes(content.key), clock=time.monotonic)
    for row in sample_rows(content, SAMPLE, content.created_at):
        tried += 1
        try:
            renderer.mail(row)
        except MessageError as error:
            failing[str(error)].append(row.address)
    for cause, addresses in list(failing.items())[:MOST_CAUSES]:
        share = 100 * len(addresses) / tried
        yield Finding(
            Level.WARNING,
            f"{len(addresses):,} of the {tried:,} messages tried ({share:.0f} %) cannot be made, such as the one to "
            f"{addresses[0]}: {cause} Such messages fail, the others leave.",
        )
    if len(failing) > MOST_CAUSES:
        yield Finding(Level.WARNING, f"Messages cannot be made for {len(failing) - MOST_CAUSES} further causes.")
