"""Whether the content fits the mirror page's mode."""

from collections.abc import Iterator

from deliveries.analysis.checks.registry import check
from deliveries.analysis.material import Material
from deliveries.models import CheckLevel, MirrorMode
from deliveries.rendering.compile import has_mirror_link


@check("Content of the mirror page", order=65, level=CheckLevel.ERROR)
def mirror_page_has_html(material: Material) -> Iterator[str]:
    """The mirror page is the HTML of the message; without HTML there is none."""
    if material.html.strip():
        return
    mode = MirrorMode(material.delivery.mirror_mode)
    if mode in {MirrorMode.FORCE, MirrorMode.IDENTIFIER}:
        yield (
            "A mirror page needs an HTML content, and there is none. Write one, or choose another mode in the tab "
            "“Validity”."
        )


@check("Link to the mirror page", order=66)
def mirror_link_fits_the_mode(material: Material) -> Iterator[str]:
    """A dead link, or a link that was not wanted."""
    if not has_mirror_link(material.html, material.text):
        return
    mode = MirrorMode(material.delivery.mirror_mode)
    if mode is MirrorMode.NONE:
        yield (
            "The content has a link to the mirror page, but the mode is “Do not generate the mirror page”: the link "
            "leads nowhere. Remove it or choose another mode in the tab “Validity”."
        )
    elif mode is MirrorMode.IDENTIFIER:
        yield (
            "The content has a link to the mirror page, though the mode is for pages without one. Recipients will be "
            "able to open it. Remove the link or choose another mode in the tab “Validity”."
        )
    elif mode is MirrorMode.DEFAULT and not material.html.strip():
        yield (
            "The text content has a link to the mirror page, but without an HTML content there is no such page. "
            "Write an HTML content or remove the link."
        )
