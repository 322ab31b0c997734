"""One module of tests for each module of checks."""

from collections.abc import Callable, Iterable

from deliveries.analysis.checks import Finding
from deliveries.analysis.material import Material
from tests.deliveries import factories


def found(check: Callable[[Material], Iterable[str | Finding]], **values: object) -> str:
    """What a check says about a delivery with these values, before it has messages; empty for nothing."""
    return _said(check(factories.material(factories.delivery(None, **values))))


def found_in_messages(check: Callable[[Material], Iterable[str | Finding]], people: int = 3, **values: object) -> str:
    """What a check says about a delivery to so many people whose messages are written."""
    return _said(check(factories.tried(factories.delivery(factories.people(people), **values))))


def _said(findings: Iterable[str | Finding]) -> str:
    return " ".join(finding if isinstance(finding, str) else finding.sentence for finding in findings)
