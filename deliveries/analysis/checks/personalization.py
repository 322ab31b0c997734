"""Whether the messages can be made with the values that people have."""

from collections.abc import Iterator

from deliveries.analysis.checks.registry import Phase, check
from deliveries.analysis.checks.words import listed
from deliveries.analysis.material import Material
from deliveries.models import CheckLevel

MOST_CAUSES = 5


@check("Personalization of the messages", order=100, phase=Phase.MESSAGES)
def messages_can_be_made(material: Material) -> Iterator[str]:
    """Some messages are made as they would be sent. One that cannot be made fails; the others leave."""
    failing, tried = material.sample.failing, material.sample.tried
    for cause, addresses in list(failing.items())[:MOST_CAUSES]:
        share = 100 * len(addresses) / tried
        yield (
            f"{len(addresses):,} of the {tried:,} messages tried ({share:.0f} %) cannot be made, such as the one to "
            f"{addresses[0]}: {cause} Such messages fail, the others leave."
        )
    if len(failing) > MOST_CAUSES:
        yield f"Messages cannot be made for {len(failing) - MOST_CAUSES} further causes."


@check("Ways that nobody goes", order=104, level=CheckLevel.INFO, phase=Phase.MESSAGES)
def branches_are_taken(material: Material) -> Iterator[str]:
    """A condition that is never true is often misspelt. Messages of every kind of values are tried; an ``else`` that
    nobody needs is as it should be."""
    sample = material.sample
    untaken = [branch for branch in sample.untaken if not branch.is_else]
    if sample.made and untaken:
        yield (
            f"None of the {len(sample.made):,} messages tried goes here: {listed(map(str, untaken))}. Look at "
            "the spelling of the values, or leave it for those who come later."
        )
