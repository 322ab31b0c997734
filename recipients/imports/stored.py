"""What is stored of uploads, beside their rows."""

from functools import partial

from django.db import transaction

from recipients.models import Upload


def forget_stored(upload: Upload) -> None:
    """Delete the file and its rejected lines from the store, once the transaction is over."""
    for file in (upload.file, upload.rejects):
        if file.name:
            transaction.on_commit(partial(file.storage.delete, file.name), robust=True)
