"""The mirror page of a message: the HTML of the mail, from the same rows by the same code."""

from campaign.lib.signing import MIRROR, InvalidToken, split, verify
from deliveries.identifiers import UnknownMessage
from deliveries.models import Content
from deliveries.rendering.merge import MessageError
from deliveries.rows import published, renderer
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
    try:
        identifier = split(token)
        content = renderer(identifier.content_id)
    except (InvalidToken, Content.DoesNotExist) as error:
        raise UnknownMessage from error
    if not verify(MIRROR, identifier, content.key):
        raise UnknownMessage
    message = published(identifier.content_id, identifier.message_id)
    if message is None or message.state not in STARTED or not content.compiled.has_mirror:
        raise UnknownMessage
    if message.ended or message.row is None:
        raise PageEnded
    try:
        return content.html(message.row)
    except MessageError as error:
        raise UnknownMessage from error
