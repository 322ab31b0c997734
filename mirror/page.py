"""The mirror page of a message: the HTML of the mail, from the same rows by the same code."""

from campaign.lib.clock import now
from deliveries.identifiers import MIRROR, UnknownMessage, find_message
from deliveries.models import Delivery, MessageValues
from deliveries.rendering.merge import MessageError
from deliveries.rows import message_row, renderer
from deliveries.states import STARTED

CONTENT_SECURITY_POLICY = {
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox", "allow-top-navigation-by-user-activation"],
    "default-src": ["'none'"],
    "img-src": ["*", "data:"],
    "style-src": ["'unsafe-inline'", "*"],
    "font-src": ["*", "data:"],
    "media-src": ["*"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'none'"],
}
"""Author HTML is hostile: no script, no form, no frame, and an origin of its own that shares nothing with ours."""


class PageEnded(Exception):
    """There was such a page; its validity limit is over."""


def mirror_html(token: str) -> str:
    """The HTML of the message that ``token`` names, exactly as its mail carries it.

    Raises :class:`UnknownMessage` when there is no such message, it has no mirror page, it cannot be made (so it was
    never sent either), or its delivery has not started; :class:`PageEnded` when its time is over.
    """
    message = find_message(MIRROR, token)
    delivery = Delivery.objects.only("state", "resources_until", "values_purged_at").get(pk=message.delivery_id)
    content = renderer(message.content_id)
    if delivery.current_state not in STARTED or not content.compiled.has_mirror:
        raise UnknownMessage
    if delivery.values_purged_at or (delivery.resources_until and delivery.resources_until <= now()):
        raise PageEnded
    try:
        return content.html(message_row(message))
    except MessageValues.DoesNotExist as error:
        raise PageEnded from error
    except MessageError as error:
        raise UnknownMessage from error
