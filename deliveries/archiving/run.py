"""Make copies: claim, render the very same bytes again, hand them over, record.

A copy is repeated when a process dies after the archive took it and before that was recorded; it is never lost.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from campaign.lib.alone import alone
from campaign.lib.clock import now
from campaign.lib.sealing import SealBroken
from deliveries.archiving import copies
from deliveries.archiving.copies import CopyOutcome
from deliveries.archiving.store import NotStored, store
from deliveries.mail import Mail
from deliveries.models import Archive, ArchiveCopy
from deliveries.rendering.merge import MessageError
from deliveries.rows import renderer, rows_of
from deliveries.sending import shutdown
from deliveries.sending.handshake import RouteUnavailable
from deliveries.sending.routes import NoRoute, RouteBusy, active_routes, one_connection
from deliveries.sending.session import ConnectionLost
from deliveries.sending.smtp.replies import Reply
from deliveries.sending.transport import Connection

logger = logging.getLogger(__name__)

BATCH = 200
MOST_FAULTS = 3
"""A store that fails so often in a row gets no more of this batch: each attempt may take minutes."""


def make_copies(archive: Archive, until: datetime) -> bool:
    """Make the copies whose turn it is, one process at a time for each archive; returns whether there may be more."""
    with alone("archive", archive.pk) as is_alone:
        if not is_alone:
            return False
        try:
            with _mailbox(archive) as mailbox:
                while now() < until and not shutdown.asked():
                    claimed = copies.claim(archive, now(), BATCH)
                    if not claimed or not _make(archive, claimed, mailbox):
                        return False
                return True
        except RouteBusy:
            return False
        except (SealBroken, NoRoute) as error:
            batch = _Batch(archive, copies.claim(archive, now(), BATCH))
            batch.fail_the_rest(str(error))
            batch.record()
            return False


@contextmanager
def _mailbox(archive: Archive) -> Iterator[Connection | None]:
    """A connection to the archive's mailbox, within the limit of its route, or of the one that stands in for it.

    Raises NoRoute, RouteBusy and SealBroken.
    """
    if not archive.address or archive.route is None:
        yield None
        return
    with one_connection(active_routes(archive.route)[0]) as mailbox:
        yield mailbox


def _make(archive: Archive, claimed: Sequence[ArchiveCopy], mailbox: Connection | None) -> bool:
    """Make these copies; returns whether going on makes sense, because the archive answers."""
    batch = _Batch(archive, claimed)
    try:
        if mailbox is None:
            for mail in batch.mails():
                batch.done(mail.id, None)
        else:
            for mail, reply in mailbox.send(batch.mails()):
                batch.done(mail.id, reply)
    except RouteUnavailable as error:
        logger.warning("The archive “%s” cannot be reached: %s", archive, error)
        batch.fail_the_rest(str(error))
        return False
    except ConnectionLost as lost:
        if (under_way := lost.mail or lost.taken_back) is not None:  # perhaps it arrived: it is made again all the same
            batch.failed(under_way.id, lost.sentence)
        elif not batch.outcomes:
            batch.fail_the_rest(lost.sentence)
        return bool(batch.outcomes)
    finally:
        batch.record()
    return batch.faults < MOST_FAULTS


class _Batch:
    """Claimed copies on their way."""

    def __init__(self, archive: Archive, claimed: Sequence[ArchiveCopy]) -> None:
        self.archive = archive
        self.copies = {copy.pk: copy for copy in claimed}
        self.stored: dict[int, datetime] = {}
        self.outcomes: dict[int, CopyOutcome] = {}
        self.faults = 0
        """How often in a row the store took nothing."""

    def mails(self) -> Iterator[Mail]:
        """The messages as they were sent, addressed to the archive alone; each is stored on its way."""
        found = list(rows_of(self.copies))
        for pk in self.copies.keys() - {row.id for _, row in found}:
            self.failed(pk, "The message is not in the log any more.")
        for content_id, row in found:
            copy = self.copies[row.id]
            try:
                mail = renderer(content_id).mail(row)
                if self.archive.stores_files and copy.stored_at is None:
                    self._store(mail)
            except (MessageError, SealBroken, NotStored) as error:
                self.failed(row.id, str(error))
                if self.faults == MOST_FAULTS:
                    self.fail_the_rest(str(error))
                    return
                continue
            if not self.archive.address or copy.mailed_at is not None:
                self.done(row.id, None)
                continue
            # With an empty return path a bounce of the copy cannot be taken for the recipient's.
            yield replace(mail, sender="", recipient=self.archive.address, envelope_id="")

    def _store(self, mail: Mail) -> None:
        """Raises :class:`NotStored`."""
        self.faults += 1
        store(mail)
        self.faults = 0
        self.stored[mail.id] = now()

    def done(self, message_id: int, reply: Reply | None) -> None:
        """The archive answered, or there was nobody to ask."""
        taken = reply is None or reply.accepted
        self.outcomes[message_id] = CopyOutcome(
            message_id,
            mailed_at=now() if reply is not None and taken else None,
            stored_at=self.stored.get(message_id),
            is_complete=taken,
            reply=str(reply) if reply is not None else "",
        )

    def failed(self, message_id: int, sentence: str) -> None:
        """This copy could not be made now."""
        self.outcomes[message_id] = CopyOutcome(
            message_id, None, self.stored.get(message_id), is_complete=False, reply=sentence
        )

    def fail_the_rest(self, sentence: str) -> None:
        """None of the others could be made now."""
        for pk in self.copies.keys() - self.outcomes.keys():
            self.failed(pk, sentence)

    def record(self) -> None:
        """Write down what is known; what was not tried is free again at once."""
        copies.record(list(self.copies.values()), list(self.outcomes.values()), now())
