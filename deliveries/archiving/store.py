"""The store of ``.eml`` files: a folder, or whatever Django storage the operator set up."""

import logging

from django.core.files.base import ContentFile
from django.core.files.storage import storages

from deliveries.mail import Mail
from deliveries.models.message import NUMBER_BITS

logger = logging.getLogger(__name__)

STORAGE = "archive"


class NotStored(Exception):
    """The store took no file now. ``str()`` is a sentence for people."""


def store(mail: Mail) -> None:
    """Keep the message as ``delivery/number.eml``; one that is there in full stays. Raises :class:`NotStored`."""
    try:
        _save(file_name(mail.id), mail.data)
    except Exception as error:  # each storage has errors of its own, and none of them may end the other copies
        logger.warning("A copy could not be stored: %r", error)
        raise NotStored(f"The store did not take the file. {type(error).__name__}: {error}") from error


def file_name(message_id: int) -> str:
    """Where the copy of a message is kept."""
    return f"{message_id >> NUMBER_BITS}/{message_id & ((1 << NUMBER_BITS) - 1):09}.eml"


def _save(name: str, data: bytes) -> None:
    storage = storages[STORAGE]
    if storage.exists(name):
        if storage.size(name) == len(data):
            return
        storage.delete(name)  # cut off while it was written
    storage.save(name, ContentFile(data))
