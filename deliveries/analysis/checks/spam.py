"""What a spam filter says, where the operator runs one (SPAM_FILTER)."""

import logging
from collections.abc import Iterator

from django.conf import settings

from deliveries.analysis.checks.registry import Finding, Phase, check
from deliveries.analysis.checks.words import listed
from deliveries.analysis.material import Material
from deliveries.models import Level
from deliveries.outside.spam import NoVerdict, judge

logger = logging.getLogger(__name__)


@check("Spam score", order=110, phase=Phase.MESSAGES)
def message_is_no_spam(material: Material) -> Iterator[str | Finding]:
    """One of the messages is shown to the platform's spam filter, if there is one. Others' filters judge otherwise, but
    many look at the same."""
    example = material.sample.example
    if not settings.SPAM_FILTER or example is None:
        return
    try:
        verdict = judge(settings.SPAM_FILTER, example.data)
    except NoVerdict as problem:
        logger.warning("Spam filter: %s", problem)
        yield Finding(Level.INFO, f"{problem} Nobody knows what it would have said; the operator looks after it.")
        return
    found = f"{verdict.score:.1f} of {verdict.limit:.1f}"
    if verdict.is_spam:
        reasons = f" What weighs most: {listed(verdict.rules)}." if verdict.rules else ""
        yield f"The spam filter takes the message for spam: {found}.{reasons} Change the content, or ask the operator."
    else:
        yield Finding(Level.INFO, f"The spam filter lets the message pass: {found}.")
