"""The admin of recipients, lists, imports, quarantine and denylist."""

from recipients.admin import blocked, imports, lists, queries, recipient, services

__all__ = ["blocked", "imports", "lists", "queries", "recipient", "services"]
