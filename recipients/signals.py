"""What the recipients app tells whoever listens, because it imports nobody above it."""

from django.dispatch import Signal

consent_withdrawn = Signal()
"""Somebody no longer wants to be written to. Sent inside the transaction that keeps the wish, with ``recipient_id`` and
``service_id`` (``None``: no mails at all)."""
