"""Checks on a delivery before its messages are written. To add one, see docs/adding-a-check.md."""

# Registers the checks, which run in this order.
from deliveries.analysis.checks import body, dkim, images, route, sender, subject, target, validity  # noqa: F401
from deliveries.analysis.checks.registry import Finding, run

__all__ = ["Finding", "run"]
