"""Where bounces return."""

from collections.abc import Iterator

from deliveries.analysis.bounce_addresses import address_findings
from deliveries.analysis.checks.registry import Finding, Phase, check
from deliveries.analysis.material import Material


@check("Error and investigation address", phase=Phase.MESSAGES, required=True)
def bounce_addresses_are_usable(material: Material) -> Iterator[Finding]:
    """Judged for every message, because both may be personalized."""
    if material.content is not None and material.compiled is not None:
        for level, sentence in address_findings(material.content, material.compiled):
            yield Finding(level, sentence)
