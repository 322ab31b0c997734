"""Render a sample of the real messages, so that what only shows with data shows before the send."""

import time
from collections.abc import Iterator

from deliveries.analysis.checks import Finding
from deliveries.models import Content, Level
from deliveries.rendering.compile import Compiled
from deliveries.rendering.merge import MessageError, Renderer
from deliveries.rows import sample_rows

SAMPLE = 50


def sample_findings(content: Content, compiled: Compiled) -> Iterator[Finding]:
    """A warning for each of the first messages that cannot be made (they would fail, the others would go)."""
    renderer = Renderer(compiled, content.pk, bytes(content.key), clock=time.monotonic)
    for row in sample_rows(content, SAMPLE, content.created_at):
        try:
            renderer.mail(row)
        except MessageError as error:
            yield Finding(Level.WARNING, f"The message to {row.address} cannot be made: {error}")
