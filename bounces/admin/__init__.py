"""Screens about bounces."""

from bounces.admin import mailbox

__all__ = ["mailbox"]
