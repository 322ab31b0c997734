"""Checks on a delivery before its messages are written. To add one, see docs/adding-a-check.md."""

from deliveries.analysis.checks import body, dkim, route, sender, subject, target  # noqa: F401 (registers, in this order)
from deliveries.analysis.checks.registry import Finding, run

__all__ = ["Finding", "run"]
