"""The mirror page of a message: the HTML of the mail, from the same rows by the same code."""

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


def mirror_html(token: str) -> str:
    """The HTML of the message that ``token`` names, exactly as its mail carries it.

    Raises :class:`UnknownMessage` when there is no such message, it has no HTML, it cannot be made (so it was never
    sent either), or its delivery has not started.
    """
    message = find_message(MIRROR, token)
    delivery = Delivery.objects.only("state").get(pk=message.delivery_id)
    if delivery.current_state not in STARTED:
        raise UnknownMessage
    try:
        html = renderer(message.content_id).html(message_row(message))
    except (MessageValues.DoesNotExist, MessageError) as error:
        raise UnknownMessage from error
    if not html:
        raise UnknownMessage
    return html
