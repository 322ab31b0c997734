"""The two parts of the content."""

from collections.abc import Iterator

from deliveries.analysis.checks.registry import check
from deliveries.analysis.material import Material
from deliveries.models import CheckLevel


@check("Content", required=True)
def content_is_present(material: Material) -> Iterator[str]:
    """Something must be said."""
    if not material.delivery.html.strip() and not material.delivery.text.strip():
        yield "The content is empty. Write an HTML content, a text content or both."


@check("HTML content", order=40, level=CheckLevel.INFO)
def html_is_present(material: Material) -> Iterator[str]:
    """Without an HTML content there is no mirror page."""
    if material.delivery.text.strip() and not material.delivery.html.strip():
        yield "There is no HTML content: messages are plain text and have no mirror page."
