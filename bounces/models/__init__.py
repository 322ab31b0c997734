"""What came back, as rows."""

from bounces.models.mail import BounceMail, MailState

__all__ = ["BounceMail", "MailState"]
