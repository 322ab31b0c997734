"""Checks on a delivery. To add one, see docs/adding-a-check.md."""

# Importing a module registers its checks.
from deliveries.analysis.checks import (  # noqa: F401
    accessibility,
    addresses,
    body,
    clients,
    dkim,
    images,
    links,
    mirror,
    personalization,
    proofs,
    reach,
    route,
    sender,
    spam,
    subject,
    target,
    unsubscription,
    validity,
    weight,
)
from deliveries.analysis.checks.registry import CHECKS, Check, Finding, Phase

__all__ = ["CHECKS", "Check", "Finding", "Phase"]
