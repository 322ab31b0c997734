"""From a public message identifier to the message: the one way in for everything that strangers may open."""

from collections.abc import Callable, Iterable, Iterator
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
    "Lookup",
    "UnknownMessage",
    "find_message",
    "find_returned",
    "find_unsubscribing",
    "id_in",
    "ids_in",
    "is_signed",
    "keyed",
    "look_up",
]

Lookup = Callable[[int], Message | None]
"""The message with this id, its content loaded with it; None when there is none."""

_MOST = (1 << 63) - 1
"""The greatest id that PostgreSQL can keep."""


class UnknownMessage(Exception):
    """No message has this identifier. Says no more, so that nothing can be learnt by trying."""


class ForgottenMessage(UnknownMessage):
    """There was such a message; it is not in the log any more, or its person was erased."""


def keyed(message_ids: Iterable[int]) -> dict[int, Message]:
    """These messages by id, in one query: each with its content's key, without what was compiled (it is read once it is
    asked for)."""
    ids = {message_id for message_id in message_ids if message_id <= _MOST}
    if not ids:
        return {}
    return Message.objects.select_related("content").defer("content__compiled").in_bulk(ids)


def look_up(message_id: int) -> Message | None:
    """One message by its id, with its content's key."""
    return keyed([message_id]).get(message_id)


def ids_in(address: str) -> Iterator[int]:
    """The ids that the identifiers in an address name; nothing in them may be trusted."""
    for token in tokens_in(address):
        try:
            yield split_return(token)[0]
        except InvalidToken:
            continue


def id_in(token: str) -> int | None:
    """The id that a public identifier names; nothing in it may be trusted. None for what is no identifier."""
    try:
        return split(token).message_id
    except InvalidToken:
        return None


def find_message(purpose: bytes, token: str, look: Lookup = look_up) -> Message:
    """The message that ``token`` names for this purpose, with its content's key (one query).

    Raises :class:`UnknownMessage` for a malformed or forged identifier, and :class:`ForgottenMessage` for a good one
    whose message, or whose person, no longer exists.
    """
    try:
        identifier = split(token)
    except InvalidToken as error:
        raise UnknownMessage from error
    message = look(identifier.message_id)
    if message is None or message.content_id != identifier.content_id:
        key = Content.objects.filter(pk=identifier.content_id).values_list("key", flat=True).first()
        if key is not None and verify(purpose, identifier, bytes(key)):
            raise ForgottenMessage
        raise UnknownMessage
    if not verify(purpose, identifier, bytes(message.content.key)):
        raise UnknownMessage
    if is_pseudonym(message.address):
        raise ForgottenMessage
    return message


def find_returned(address: str, look: Lookup = look_up) -> Message:
    """The message whose bounce came back to ``address``, with its content's key.

    Raises :class:`UnknownMessage` for an address that names none, and for one that somebody made up.
    """
    return _named_by(tokens_in(address), {RETURN}, look)


def find_unsubscribing(address: str, subject: str = "", look: Lookup = look_up) -> Message:
    """The message whose ``mailto:`` unsubscription a mail to ``address`` is, with its content's key.

    Where the return path names no message (``RETURN_PATH=plain``) the subject does. Raises :class:`UnknownMessage`
    for a mail that is none, such as a bounce, and for one that somebody made up.
    """
    return _named_by(chain(tokens_in(address), tokens_in(f"{subject}@")), {UNSUBSCRIBE_BY_MAIL}, look)


def is_signed(address: str, look: Lookup) -> bool:
    """Whether ``address`` names a message, be it as its return path or for its unsubscription."""
    try:
        return _named_by(tokens_in(address), {RETURN, UNSUBSCRIBE_BY_MAIL}, look) is not None
    except UnknownMessage:
        return False


def _named_by(tokens: Iterable[str], purposes: set[bytes], look: Lookup) -> Message:
    for token in tokens:
        try:
            message_id, mac = split_return(token)
        except InvalidToken:
            continue
        message = look(message_id)
        if message is None:
            continue
        if any(verify_return(message_id, mac, bytes(message.content.key), purpose) for purpose in purposes):
            return message
    raise UnknownMessage
