"""What came back, as rows."""

from bounces.models.mail import BounceMail, MailState
from bounces.models.mailbox import BounceMailbox, MailboxLogin, MailboxProtocol, OursAction

__all__ = ["BounceMail", "BounceMailbox", "MailState", "MailboxLogin", "MailboxProtocol", "OursAction"]
