"""What the home page says about subscription forms: that they are shut, or soon will be."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from campaign.lib.clock import now
from campaign.lib.notices import Notice
from deliveries.actions.subscribe import asked_in, warned_from


def tell(user: Any) -> Iterator[Notice]:
    """To those who may change services, from four fifths of the limit on; one query."""
    if not user.has_perm("recipients.change_service"):
        return
    most, asked = settings.SUBSCRIPTION_MAILS_AN_HOUR, asked_in(now())
    if asked < warned_from():
        return
    state = "They are shut until" if asked >= most else f"At {most:,} they are shut, for everybody, until"
    yield Notice(
        f"Subscription forms have sent {asked:,} mails within an hour. {state} fewer were sent in the last hour. If "
        "these are people, the operator can raise SUBSCRIPTION_MAILS_AN_HOUR; if they are machines, untick the form "
        "that they use."
    )
