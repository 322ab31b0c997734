"""Mailboxes that bounces are collected from."""

from datetime import timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from campaign.lib.connecting import Security, check_host
from campaign.lib.oauth.login import OAuthLogin
from campaign.lib.oauth.tokens import KeptToken

SHORTEST_INTERVAL: Final = timedelta(seconds=15)
LONGEST_INTERVAL: Final = timedelta(days=1)


class MailboxProtocol(models.TextChoices):
    """What the mailbox's server speaks."""

    IMAP = "imap", "IMAP"
    POP3 = "pop3", "POP3"


class MailboxLogin(models.TextChoices):
    """How to log in."""

    PASSWORD = "password", "Password"
    XOAUTH2 = "xoauth2", "XOAUTH2 (OAuth 2)"
    OAUTHBEARER = "oauthbearer", "OAUTHBEARER (OAuth 2)"


class OursAction(models.TextChoices):
    """What becomes of mails about our messages."""

    MOVE = "move", "Move to a folder (IMAP)"
    DELETE = "delete", "Delete"
    KEEP = "keep", "Leave (IMAP: mark as read)"


class BounceMailbox(OAuthLogin):
    """A mailbox that bounces are collected from: where it is, who logs in, what becomes of its mails, how it went."""

    called = "mailbox"

    name = models.CharField(max_length=80, unique=True)
    is_active = models.BooleanField("active", default=True, help_text="A mailbox that is not active is not read.")

    protocol = models.CharField(max_length=4, choices=MailboxProtocol.choices, default=MailboxProtocol.IMAP)
    host = models.CharField(max_length=255, help_text="Name or address of the mailbox's server.")
    port = models.PositiveIntegerField(
        default=993,
        validators=[MinValueValidator(1), MaxValueValidator(65535)],
        help_text="Usually 993 for IMAP and 995 for POP3 with TLS from the start, 143 and 110 with STARTTLS.",
    )
    security = models.CharField(
        max_length=8,
        choices=Security.choices,
        default=Security.TLS,
        help_text="The certificate is always checked. Without encryption anybody on the way reads the password.",
    )
    authority_file = models.CharField(
        max_length=255,
        blank=True,
        help_text="For a server whose certificate no public authority signed: path of a PEM file with its authority, "
        "the same on every host that reads the mailbox. Empty means the system's authorities.",
    )

    username = models.CharField("user name", max_length=255)
    login = models.CharField("way of logging in", max_length=11, choices=MailboxLogin.choices, default="password")

    folder = models.CharField(
        max_length=255, default="INBOX", help_text="IMAP: the folder to read. POP3 has one folder only."
    )
    ours = models.CharField(
        "bounces of our messages",
        max_length=6,
        choices=OursAction.choices,
        default=OursAction.MOVE,
        help_text="Once they are processed. Every other mail stays as it is, unread ones unread.",
    )
    ours_folder = models.CharField(
        "folder for them", max_length=255, default="Processed", blank=True, help_text="IMAP: made if it is missing."
    )
    interval = models.DurationField(
        default=timedelta(minutes=5),
        validators=[MinValueValidator(SHORTEST_INTERVAL), MaxValueValidator(LONGEST_INTERVAL)],
        help_text="How often it is read, from 15s to 1d. With “manage.py receive_bounces --mailbox” what arrives "
        "is read at once.",
    )

    memory = models.JSONField(default=dict, editable=False)
    checked_at = models.DateTimeField("last read", null=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)
    ours_count = models.PositiveBigIntegerField("ours", default=0, editable=False)
    left_count = models.PositiveBigIntegerField("not ours", default=0, editable=False)
    set_aside_count = models.PositiveBigIntegerField("set aside", default=0, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = "bounce mailbox"
        verbose_name_plural = "bounce mailboxes"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """What a single field cannot see."""
        super().clean()
        check_host(self.host)
        problems = dict(self.token_problems())
        if self.protocol == MailboxProtocol.POP3 and self.ours == OursAction.MOVE:
            problems["ours"] = "POP3 knows no folders. Choose to delete or to leave them."
        if self.protocol == MailboxProtocol.IMAP and self.ours == OursAction.MOVE:
            if not self.ours_folder:
                problems["ours_folder"] = "Write the folder that they are moved to."
            elif self.ours_folder == self.folder:
                problems["ours_folder"] = "This is the folder that is read. Choose another one."
        if problems:
            raise ValidationError(problems)

    @property
    def takes_token(self) -> bool:
        """Whether the way of logging in needs an access token."""
        return self.login in {MailboxLogin.XOAUTH2, MailboxLogin.OAUTHBEARER}


class MailboxToken(KeptToken):
    """The access token by which a mailbox is logged in to."""

    mailbox = models.OneToOneField(BounceMailbox, on_delete=models.CASCADE, primary_key=True, related_name="kept_token")

    def __str__(self) -> str:
        return f"Access token of {self.mailbox_id}"
