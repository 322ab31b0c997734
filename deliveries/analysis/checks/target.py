"""The target."""

from collections.abc import Iterator

from deliveries.analysis.checks.registry import Finding, check
from deliveries.models import Delivery, Level
from recipients.models import ImportState


@check
def target_is_chosen(delivery: Delivery) -> Iterator[Finding]:
    """Without a list, a query or a file nobody gets anything."""
    if delivery.proof_of_id is not None:  # it goes to its own addresses
        return
    chosen = delivery.target_lists.exists() or delivery.target_queries.exists() or delivery.target_file_id is not None
    if not chosen:
        yield Finding(Level.ERROR, "No target is chosen. Choose at least one list, query or file in the tab “Target”.")


@check
def file_is_read(delivery: Delivery) -> Iterator[Finding]:
    """A file that nobody has read yet, or that cannot be read, says nothing about the target."""
    file = delivery.target_file
    if file is None or file.state == ImportState.DONE:
        return
    if file.state == ImportState.FAILED:
        yield Finding(Level.ERROR, f"The file {file.file_name} cannot be used: {file.sentence}")
    else:
        yield Finding(Level.ERROR, f"The file {file.file_name} is still being read. Analyse again in a moment.")
