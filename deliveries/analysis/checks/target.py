"""The target."""

from collections.abc import Iterator

from deliveries.analysis.checks.registry import check
from deliveries.analysis.material import Material
from recipients.models import ImportState


@check("Target", required=True)
def target_is_chosen(material: Material) -> Iterator[str]:
    """Without a list, a query or a file nobody gets anything."""
    delivery = material.delivery
    if delivery.proof_of_id is not None:  # it goes to its own addresses
        return
    chosen = delivery.target_lists.exists() or delivery.target_queries.exists() or delivery.target_file_id is not None
    if not chosen:
        yield "No target is chosen. Choose at least one list, query or file in the tab “Target”."


@check("File of the target", required=True)
def file_is_read(material: Material) -> Iterator[str]:
    """A file that nobody has read yet, or that cannot be read, says nothing about the target."""
    file = material.delivery.target_file
    if file is None or file.state == ImportState.DONE:
        return
    if file.state == ImportState.FAILED:
        yield f"The file {file.file_name} cannot be used: {file.sentence}"
    else:
        yield f"The file {file.file_name} is still being read. Analyse again in a moment."
