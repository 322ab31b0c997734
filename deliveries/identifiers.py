"""From a public message identifier to the message: the one way in for everything that strangers may open."""

from campaign.lib.signing import MIRROR, UNSUBSCRIBE, InvalidToken, split, split_return, verify, verify_return
from deliveries.models import Content, Message
from deliveries.rendering.return_path import tokens_in

__all__ = ["MIRROR", "UNSUBSCRIBE", "UnknownMessage", "find_message", "find_returned"]


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


def find_returned(address: str) -> Message:
    """The message whose bounce came back to ``address``, its content loaded with it.

    Raises :class:`UnknownMessage` for an address that names none, and for one that somebody made up.
    """
    for token in tokens_in(address):
        try:
            message_id, mac = split_return(token)
            message = Message.objects.select_related("content").get(pk=message_id)
        except (InvalidToken, Message.DoesNotExist, Content.DoesNotExist):
            continue
        if verify_return(message_id, mac, bytes(message.content.key)):
            return message
    raise UnknownMessage
