"""Collecting from a mailbox: open, process what is new, tidy up, remember.

The order is the promise that nothing is lost and nothing counts twice: a mail is settled in the mailbox only after what
follows from it is committed, and it is remembered as dealt with only after that. Wherever a process dies, the mail is
still there, and the next one finds that it came before.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import InterfaceError, OperationalError, close_old_connections
from django.db.models import F

from bounces.models import BounceMailbox, MailboxLogin, OursAction
from bounces.process import MOST_TOGETHER, Outcome, Processed, of_mail, process_each
from bounces.sources.mailbox import (
    LetterUnreadable,
    MailboxAddress,
    MailboxUnavailable,
    Session,
    open_session,
)
from bounces.understanding import Brought
from campaign.lib.alone import alone
from campaign.lib.clock import now
from campaign.lib.connecting import Security
from campaign.lib.sealing import SealBroken
from deliveries.sending import shutdown

logger = logging.getLogger(__name__)

BATCH: Final = MOST_TOGETHER
"""Mails that are processed before the mailbox is tidied up."""
IDLE_SECONDS: Final = 540.0
"""Longest wait in one IDLE: servers may hang up after half an hour (RFC 2177), firewalls sooner."""
REST_SECONDS: Final = 30.0
"""Wait before a connection is opened again that broke."""

Stop = Callable[[], bool]


@dataclass(slots=True)
class Tally:
    """What a batch came to."""

    ours: int = 0
    left: int = 0
    set_aside: int = 0
    problems: list[str] = field(default_factory=list)

    def count(self, done: Processed) -> None:
        """Count a mail; one that came before was counted then."""
        match done.outcome:
            case Outcome.OURS:
                self.ours += 1
            case Outcome.NOT_OURS:
                self.left += 1
            case Outcome.SET_ASIDE:
                self.set_aside += 1


def due(at: datetime) -> list[BounceMailbox]:
    """The mailboxes whose turn it is to be read."""
    active = BounceMailbox.objects.filter(is_active=True)
    return [each for each in active if each.checked_at is None or each.checked_at + each.interval <= at]


def collect(mailbox: BounceMailbox, until: datetime) -> bool:
    """Read a mailbox until nothing is new or the time is over; whether there may be more.

    One process at a time reads a mailbox. What went wrong with the mailbox is noted in its row.
    """
    with alone("bounce mailbox", mailbox.pk) as is_alone:
        if not is_alone:
            return False
        mailbox.refresh_from_db()
        try:
            more = True
            while more and now() < until and not shutdown.asked():
                with open_session(address_of(mailbox), mailbox.memory) as session:
                    more = read(mailbox, session)
                    session.close()
            return more
        except (MailboxUnavailable, SealBroken) as error:
            note(mailbox, str(error))
            return False


def read(mailbox: BounceMailbox, session: Session) -> bool:
    """Process a batch of what is new; whether there is more. Raises MailboxUnavailable, and what ``process`` raises."""
    keys = session.unread()
    tally = Tally()
    try:
        session.settle(_processed(mailbox, session, keys[:BATCH], tally))
    finally:
        _record(mailbox, session, tally)
    return len(keys) > BATCH


def _processed(mailbox: BounceMailbox, session: Session, keys: Sequence[str], tally: Tally) -> list[str]:
    """Process these mails; which of them may be settled."""
    ours = []
    for key, done in process_each(_brought(mailbox, session, keys, tally)):
        tally.count(done)
        if done.may_be_removed:
            ours.append(key)
        else:
            session.leave([key])
    return ours


def _brought(
    mailbox: BounceMailbox, session: Session, keys: Sequence[str], tally: Tally
) -> Iterator[tuple[str, Brought]]:
    """What the server gives out of these."""
    for key, letter in session.fetch_each(keys):
        if isinstance(letter, LetterUnreadable):
            again = "It is tried again." if session.postpone(key) else "It is left where it is."
            tally.problems.append(f"Mail {key} is not given out by the server: {letter}. {again}")
        elif letter is None:
            session.leave([key])
        else:
            yield key, of_mail(letter.raw, source=f"Mailbox {mailbox.name}", at=letter.at)
        if shutdown.asked():
            break


def _record(mailbox: BounceMailbox, session: Session, tally: Tally) -> None:
    mailbox.memory = session.memory
    mailbox.checked_at = now()
    mailbox.last_error = " ".join(tally.problems[:10])
    BounceMailbox.objects.filter(pk=mailbox.pk).update(
        memory=mailbox.memory,
        checked_at=mailbox.checked_at,
        last_error=mailbox.last_error,
        ours_count=F("ours_count") + tally.ours,
        left_count=F("left_count") + tally.left,
        set_aside_count=F("set_aside_count") + tally.set_aside,
    )


def note(mailbox: BounceMailbox, sentence: str) -> None:
    """Write into the mailbox's row that it could not be read, and why."""
    logger.warning("The mailbox “%s” cannot be read: %s", mailbox.name, sentence)
    BounceMailbox.objects.filter(pk=mailbox.pk).update(checked_at=now(), last_error=sentence)


def look(mailbox: BounceMailbox) -> str:
    """What a connection to the mailbox reached; no mail is read.

    Where an access token is needed, one is fetched, although another one may be good still. Raises MailboxUnavailable,
    SealBroken and TokenRefused, each with a sentence.
    """
    address = address_of(mailbox)
    if address.access is not None:
        address.access.fetch(shutdown.patience)
    token = f" with an access token from {mailbox.token_host}" if address.access is not None else ""
    with open_session(address, {}) as session:
        sentence = (
            f"The connection to {mailbox.host}:{mailbox.port} works: logged in as “{mailbox.username}”{token}; "
            f"{session.describe()}. No mail was read."
        )
        session.close()
    return sentence


def watch(mailbox: BounceMailbox, stop: Stop) -> None:
    """Read a mailbox until ``stop`` says so: at once what arrives, where its server can tell, else at its interval."""
    while not stop():
        try:
            with alone("bounce mailbox", mailbox.pk) as is_alone:
                rest = _watch_alone(mailbox, stop) if is_alone else REST_SECONDS
        except (OperationalError, InterfaceError) as error:
            logger.warning("The mailbox “%s” waits for the database: %s", mailbox.name, error)
            close_old_connections()
            rest = REST_SECONDS
        pause(rest, stop)


def _watch_alone(mailbox: BounceMailbox, stop: Stop) -> float:
    """Read with one connection while it holds; seconds to rest before the next."""
    mailbox.refresh_from_db()
    if not mailbox.is_active:
        return REST_SECONDS
    try:
        with open_session(address_of(mailbox), mailbox.memory) as session:
            settings = _settings(mailbox)
            while not stop():
                while read(mailbox, session) and not stop():
                    continue
                seconds = mailbox.interval.total_seconds()
                told = session.wait(min(seconds, IDLE_SECONDS), stop)
                mailbox.refresh_from_db()
                if told is None or _settings(mailbox) != settings:
                    session.close()
                    return seconds if told is None else 0.0
            session.close()
    except (MailboxUnavailable, SealBroken) as error:
        note(mailbox, str(error))
        return REST_SECONDS
    return 0.0


_STATE: Final = frozenset({"memory", "checked_at", "last_error", "ours_count", "left_count", "set_aside_count"})


def _settings(mailbox: BounceMailbox) -> list[object]:
    """What people set; a connection that was opened with other values is of no use."""
    return [getattr(mailbox, each.attname) for each in mailbox._meta.concrete_fields if each.name not in _STATE]


def pause(seconds: float, stop: Stop) -> None:
    """Rest, and wake up early when ``stop`` says so."""
    until = time.monotonic() + seconds
    while not stop() and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 1.0))


def address_of(mailbox: BounceMailbox) -> MailboxAddress:
    """How to get at a mailbox. Raises SealBroken."""
    return MailboxAddress(
        name=mailbox.name,
        protocol=mailbox.protocol,
        host=mailbox.host,
        port=mailbox.port,
        security=Security(mailbox.security),
        username=mailbox.username,
        secret=mailbox.password,
        login=MailboxLogin(mailbox.login),
        access=mailbox.access,
        authority_file=mailbox.authority_file,
        folder=mailbox.folder,
        ours=OursAction(mailbox.ours),
        ours_folder=mailbox.ours_folder,
    )
