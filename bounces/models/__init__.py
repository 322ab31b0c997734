"""What came back, as rows, and the rules that say what it means."""

from bounces.models.forward import Forward, ForwardState
from bounces.models.mail import BounceMail, MailState
from bounces.models.mailbox import BounceMailbox, MailboxLogin, MailboxProtocol, MailboxToken, OursAction
from bounces.models.rule import BounceRule
from bounces.models.unqualified import TextState, UnqualifiedFailure, UnqualifiedText

__all__ = [
    "BounceMail",
    "BounceMailbox",
    "BounceRule",
    "Forward",
    "ForwardState",
    "MailState",
    "MailboxLogin",
    "MailboxProtocol",
    "MailboxToken",
    "OursAction",
    "TextState",
    "UnqualifiedFailure",
    "UnqualifiedText",
]
