"""Screens about what came back: rules, texts to qualify, kept mails, mailboxes."""

from bounces.admin import mail, mailbox, rule, unqualified

__all__ = ["mail", "mailbox", "rule", "unqualified"]
