"""From a public message identifier to the message: the one way in for everything that strangers may open."""

from campaign.lib.signing import MIRROR, UNSUBSCRIBE, InvalidToken, split, verify
from deliveries.models import Content, Message

__all__ = ["MIRROR", "UNSUBSCRIBE", "UnknownMessage", "find_message"]


class UnknownMessage(Exception):
    """No message has this identifier. Says no more, so that nothing can be learnt by trying."""


def find_message(purpose: bytes, token: str) -> Message:
    """The message that ``token`` names for this purpose, its content loaded with it (one query).

    Raises :class:`UnknownMessage` for a malformed or forged identifier and for a message that no longer exists.
    """
    try:
        identifier = split(token)
    except InvalidToken as error:
        raise UnknownMessage from error
    try:
        message = Message.objects.select_related("content").get(
            pk=identifier.message_id, content_id=identifier.content_id
        )
    except (Message.DoesNotExist, Content.DoesNotExist) as error:
        raise UnknownMessage from error
    if not verify(purpose, identifier, bytes(message.content.key)):
        raise UnknownMessage
    return message
