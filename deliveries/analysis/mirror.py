"""Whether the content fits the mirror page's mode."""

from collections.abc import Iterator

from deliveries.analysis.checks import Finding
from deliveries.models import Delivery, Level, MirrorMode
from deliveries.rendering.compile import Compiled, has_mirror_link


def mirror_findings(delivery: Delivery, compiled: Compiled) -> Iterator[Finding]:
    """A dead link, a page without HTML, a link that was not wanted."""
    linked = has_mirror_link(compiled.html, compiled.text)
    mode = MirrorMode(delivery.mirror_mode)
    if mode is MirrorMode.NONE and linked:
        yield Finding(
            Level.WARNING,
            "The content has a link to the mirror page, but the mode is “Do not generate the mirror page”: the link "
            "leads nowhere. Remove it or choose another mode in the tab “Validity”.",
        )
    elif mode is MirrorMode.IDENTIFIER and linked:
        yield Finding(
            Level.WARNING,
            "The content has a link to the mirror page, though the mode is for pages without one. Recipients will be "
            "able to open it. Remove the link or choose another mode in the tab “Validity”.",
        )
    if not compiled.html.strip():
        if mode in {MirrorMode.FORCE, MirrorMode.IDENTIFIER}:
            yield Finding(
                Level.ERROR,
                "A mirror page needs an HTML content, and there is none. Write one, or choose another mode in the tab "
                "“Validity”.",
            )
        elif mode is MirrorMode.DEFAULT and linked:
            yield Finding(
                Level.WARNING,
                "The text content has a link to the mirror page, but without an HTML content there is no such page. "
                "Write an HTML content or remove the link.",
            )
