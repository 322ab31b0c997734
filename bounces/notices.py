"""What the home page says about bounces: mailboxes that cannot be read, mails that were set aside."""

from collections.abc import Iterator
from typing import Any

from django.urls import reverse

from bounces.models import BounceMail, BounceMailbox, MailState
from campaign.lib.notices import Notice


def tell(user: Any) -> Iterator[Notice]:
    """What this user may know, in two queries."""
    if user.has_perm("bounces.view_bouncemailbox"):
        for mailbox in BounceMailbox.objects.filter(is_active=True).exclude(last_error=""):
            yield Notice(
                f"The mailbox “{mailbox.name}” is not read as it should be. {mailbox.last_error}",
                reverse("admin:bounces_bouncemailbox_change", args=[mailbox.pk]),
            )
    if user.has_perm("bounces.view_bouncemail"):
        aside = BounceMail.objects.filter(state=MailState.SET_ASIDE).count()
        if aside:
            yield Notice(
                f"Mails that came back and could not be processed: {aside:,}. They were set aside.",
                f"{reverse('admin:bounces_bouncemail_changelist')}?state__exact={MailState.SET_ASIDE}",
            )
