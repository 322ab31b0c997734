"""The mirror page of a message: the HTML of the mail, from the same rows by the same code."""

from django.urls import reverse

from campaign.lib.signing import MIRROR, InvalidToken, split, verify
from deliveries.identifiers import UnknownMessage
from deliveries.models import Content
from deliveries.rendering.compile import AttachedFile
from deliveries.rendering.images import with_image_addresses
from deliveries.rendering.merge import MessageError, MessageRow, Renderer
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


IMAGE_SECURITY_POLICY = {"sandbox": [], "default-src": ["'none'"], "style-src": ["'unsafe-inline'"]}
"""An image may be an SVG that somebody opens by itself: nothing in it runs."""


class PageEnded(Exception):
    """There was such a page; its validity limit is over."""


def mirror_html(token: str) -> str:
    """The HTML of the message that ``token`` names, exactly as its mail carries it; images that travel inside the mail
    have an address of their own.

    Raises :class:`UnknownMessage` when there is no such message, it has no mirror page, it cannot be made (so it was
    never sent either), or its delivery has not started; :class:`PageEnded` when its time is over.
    """
    content, row = _opened(token)
    addresses = {name: reverse("mirror_image", args=[token, name]) for name in _images(content)}
    try:
        return with_image_addresses(content.html(row), addresses)
    except MessageError as error:
        raise UnknownMessage from error


def mirror_image(token: str, name: str) -> AttachedFile:
    """An image that travels inside the message. Raises what :func:`mirror_html` raises."""
    content, _ = _opened(token)
    try:
        return _images(content)[name]
    except KeyError as error:
        raise UnknownMessage from error


def _images(content: Renderer) -> dict[str, AttachedFile]:
    """Images inside the content, by identifier."""
    files = content.compiled.attachments
    return {file.content_id: file for file in files if file.content_id and file.content_type.startswith("image/")}


def _opened(token: str) -> tuple[Renderer, MessageRow]:
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
    return content, message.row
