"""The content."""

from collections.abc import Iterator

from deliveries.analysis.checks.registry import Finding, check
from deliveries.models import Delivery, Level


@check
def content_is_present(delivery: Delivery) -> Iterator[Finding]:
    """Something must be said; without HTML there is no mirror page."""
    if not delivery.html.strip() and not delivery.text.strip():
        yield Finding(Level.ERROR, "The content is empty. Write an HTML content, a text content or both.")
    elif not delivery.html.strip():
        yield Finding(Level.INFO, "There is no HTML content: messages are plain text and have no mirror page.")


@check
def unsubscription_is_offered(delivery: Delivery) -> Iterator[Finding]:
    """People must be able to leave; the usual way is the block *unsubscribe_link*."""
    if delivery.html.strip() and "unsubscribe" not in delivery.html:
        yield Finding(
            Level.WARNING,
            "The HTML content has no unsubscription link. Insert the block “Unsubscription link”: "
            "{% include 'unsubscribe_link' %}.",
        )
