"""The admin of recipients, lists, imports, quarantine and denylist."""

from recipients.admin import blocked, imports, lists, recipient

__all__ = ["blocked", "imports", "lists", "recipient"]
