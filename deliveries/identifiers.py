"""From a public message identifier to the message: the one way in for everything that strangers may open."""

from collections.abc import Iterable
from itertools import chain

from campaign.lib.pseudonyms import is_pseudonym
from campaign.lib.signing import (
    MIRROR,
    RETURN,
    UNSUBSCRIBE,
    UNSUBSCRIBE_BY_MAIL,
    InvalidToken,
    split,
    split_return,
    verify,
    verify_return,
)
from deliveries.models import Content, Message
from deliveries.rendering.return_path import tokens_in

__all__ = [
    "MIRROR",
    "UNSUBSCRIBE",
    "ForgottenMessage",
    "UnknownMessage",
    "find_message",
    "find_returned",
    "find_unsubscribing",
]


class UnknownMessage(Exception):
    """No message has this identifier. Says no more, so that nothing can be learnt by trying."""


class ForgottenMessage(UnknownMessage):
    """There was such a message; it is not in the log any more, or its person was erased."""


def find_message(purpose: bytes, token: str) -> Message:
    """The message that ``token`` names for this purpose, its content loaded with it (one query).

    Raises :class:`UnknownMessage` for a malformed or forged identifier, and :class:`ForgottenMessage` for a good one
    whose message, or whose person, no longer exists.
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
        key = Content.objects.filter(pk=identifier.content_id).values_list("key", flat=True).first()
        if key is not None and verify(purpose, identifier, bytes(key)):
            raise ForgottenMessage from error
        raise UnknownMessage from error
    if not verify(purpose, identifier, bytes(message.content.key)):
        raise UnknownMessage
    if is_pseudonym(message.address):
        raise ForgottenMessage
    return message


def find_returned(address: str) -> Message:
    """The message whose bounce came back to ``address``, its content loaded with it.

    Raises :class:`UnknownMessage` for an address that names none, and for one that somebody made up.
    """
    return _named_by(tokens_in(address), RETURN)


def find_unsubscribing(address: str, subject: str = "") -> Message:
    """The message whose ``mailto:`` unsubscription a mail to ``address`` is; its content is loaded with it.

    Where the return path names no message (``RETURN_PATH=plain``) the subject does. Raises :class:`UnknownMessage`
    for a mail that is none, such as a bounce, and for one that somebody made up.
    """
    return _named_by(chain(tokens_in(address), tokens_in(f"{subject}@")), UNSUBSCRIBE_BY_MAIL)


def _named_by(tokens: Iterable[str], purpose: bytes) -> Message:
    for token in tokens:
        try:
            message_id, mac = split_return(token)
            message = Message.objects.select_related("content").get(pk=message_id)
        except (InvalidToken, OverflowError, Message.DoesNotExist, Content.DoesNotExist):
            continue
        if verify_return(message_id, mac, bytes(message.content.key), purpose):
            return message
    raise UnknownMessage
