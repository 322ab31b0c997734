"""Mailboxes that bounces are collected from, and a button that tries one."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from bounces.models import BounceMailbox, MailboxLogin
from bounces.sources.collect import look
from bounces.sources.mailbox import MailboxUnavailable
from campaign import ui
from campaign.connection_test import ConnectionAdmin
from campaign.lib.oauth.answer import TokenRefused
from campaign.lib.sealing import SealBroken
from campaign.oauth_form import SETTINGS, Fieldsets, OAuthForm, credentials, oauth_fieldsets, token_state
from deliveries.admin.schedule import DurationField


class MailboxForm(OAuthForm[BounceMailbox]):
    """A mailbox; its secrets go in and never come out."""

    login_field = "login"
    bearers = (MailboxLogin.XOAUTH2, MailboxLogin.OAUTHBEARER)

    interval = DurationField(
        help_text=str(BounceMailbox._meta.get_field("interval").help_text),
        initial=BounceMailbox._meta.get_field("interval").get_default,
    )

    class Meta:
        model = BounceMailbox
        fields = [
            "name",
            "is_active",
            "protocol",
            "host",
            "port",
            "security",
            "authority_file",
            "username",
            "login",
            *SETTINGS,
            "folder",
            "ours",
            "ours_folder",
            "interval",
        ]


@ui.register(BounceMailbox)
class MailboxAdmin(ConnectionAdmin):
    """Mailboxes with how their last reading went."""

    form = MailboxForm
    refusals = (MailboxUnavailable, SealBroken, TokenRefused)
    list_display = ["name", "protocol", "host", "is_active", "checked_at", "state", "counts"]
    actions = None
    change_form_template = "bounces/mailbox_form.html"
    readonly_fields = ["checked_at", "counts", token_state]
    fieldsets: ClassVar[Fieldsets] = [
        (None, {"fields": ["name", "is_active"]}),
        ("Connection", {"fields": ["protocol", ("host", "port"), "security", "authority_file"]}),
        ("Credentials", {"fields": credentials("login")}),
        ("Mails", {"fields": ["folder", "ours", "ours_folder", "interval"]}),
        ("Last reading", {"fields": ["checked_at", "counts"]}),
    ]

    @admin.display(description="How it went")
    def state(self, mailbox: BounceMailbox) -> str:
        """The last error, in a sentence."""
        if mailbox.last_error:
            return mailbox.last_error
        return "All right." if mailbox.checked_at else "It was not read yet."

    @admin.display(description="Mails so far")
    def counts(self, mailbox: BounceMailbox) -> str:
        """What the mails were; each counts once."""
        aside = f", {mailbox.set_aside_count:,} set aside" if mailbox.set_aside_count else ""
        return f"{mailbox.ours_count:,} ours, {mailbox.left_count:,} not ours{aside}"

    def look(self, row: BounceMailbox) -> str:
        """Connect, log in, open the folder."""
        return look(row)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Somebody who may only look sees nothing of the secrets; a new mailbox has not been read."""
        groups = oauth_fieldsets(self, request, obj)
        return groups if obj else [group for group in groups if group[0] != "Last reading"]
