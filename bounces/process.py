"""Mails, or events of a provider, that came back: whose each is, what it says, what follows; all of it or nothing.

Every source calls :func:`process_each`, :func:`process_all`, or :func:`process` for one. They may be called any number
of times with the same thing, and at the same time by several: it counts once.

What is brought together is written together, in a handful of statements however many there are. What one of them
breaks is divided until that one is alone, and it is set aside.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

import psycopg
from django.db import InterfaceError, OperationalError, transaction

from bounces import consequences, forwarding, mails, unqualified
from bounces.mails import Earlier, Row
from bounces.models import BounceMail, MailState
from bounces.parsing import MAX_OCTETS, Action, Clues, Finding, Kind, Report, parse
from bounces.understanding import MAX_WORDS, Brought, Understood, clean, understand
from bounces.unqualified import Unknown
from campaign.lib.clock import now
from deliveries.actions.unsubscribe import MAIL, unsubscribe
from deliveries.sending.verdict import Verdict

logger = logging.getLogger(__name__)

MOST_TOGETHER: Final = 200
"""Mails that are processed in one transaction."""
MOST_OCTETS_TOGETHER: Final = 8 * 1024 * 1024
"""Of their contents; with the mail that reaches it they are enough."""

Key = TypeVar("Key")


class Outcome(StrEnum):
    """What became of a mail."""

    OURS = "ours"
    """It is about a message of ours; everything that follows is done."""
    NOT_OURS = "not ours"
    """It is about none of our messages. Leave it where it is."""
    REPEATED = "repeated"
    """It came before; nothing was done now."""
    SET_ASIDE = "set aside"
    """It could not be read. A copy is kept, with the reason, until a person tries it again."""


_OUTCOMES: Final = {
    MailState.PROCESSED: Outcome.OURS,
    MailState.NOT_OURS: Outcome.NOT_OURS,
    MailState.SET_ASIDE: Outcome.SET_ASIDE,
}


@dataclass(frozen=True, slots=True)
class Processed:
    """The result for whoever brought the mail."""

    outcome: Outcome
    kind: Kind | None
    """None where it could not be read."""
    sentence: str
    """What was done, or why not, for people."""
    first: Outcome
    """What it was when it came first; equal to ``outcome`` unless that is REPEATED."""
    mail_id: int
    is_forwarded: bool = False
    """It goes on to somebody who reads it."""

    @property
    def may_be_removed(self) -> bool:
        """Everything is done and kept here: the source may delete it. What is not ours is somebody else's."""
        return self.first is Outcome.OURS

    @property
    def is_taken(self) -> bool:
        """It has come to somebody: whoever hands it over need not return it to its sender."""
        return self.first is not Outcome.NOT_OURS or self.is_forwarded


def process(raw: bytes, *, source: str, envelope_to: str = "", at: datetime | None = None) -> Processed:
    """What came of one mail: see :func:`of_mail` for what is given, and :func:`process_each` for what is raised."""
    return process_all([of_mail(raw, source=source, envelope_to=envelope_to, at=at)])[0]


def process_all(brought: Iterable[Brought]) -> list[Processed]:
    """What came of each of these, in their order: see :func:`process_each`."""
    return [done for _, done in process_each((None, each) for each in brought)]


def process_each(brought: Iterable[tuple[Key, Brought]]) -> Iterator[tuple[Key, Processed]]:
    """What came of each of these, in their order, beside what names it for the caller. Each is done when it is given.

    They are taken :data:`MOST_TOGETHER` at a time; when bringing them raises something, what was brought before is
    processed first. Raises nothing, whatever their bytes. Only while the database is away does it raise
    OperationalError or InterfaceError: bring what is not given yet again later.
    """
    for batch in _batches(brought):
        done = _together(list({each.digest: each for _, each in batch}.values()))
        for key, each in batch:
            yield key, done[each.digest]
            if done[each.digest].outcome is not Outcome.REPEATED:
                done[each.digest] = _repeated(done[each.digest])


def of_mail(raw: bytes, *, source: str, envelope_to: str = "", at: datetime | None = None) -> Brought:
    """A mail in the form that it was received (header, empty line, body; any bytes do).

    ``source`` names where it was found, for people. ``envelope_to`` is the address it was sent to, where that is known
    from outside the mail (LMTP, a header that the mailbox adds). ``at`` is when it came; now, unless given.
    """
    return Brought(
        digest=hashlib.sha256(envelope_to.encode(errors="replace") + b"\0" + raw).hexdigest(),
        source=clean(source, 100),
        envelope_to=clean(envelope_to, 320),
        at=at or now(),
        read=lambda: parse(raw),
        raw=raw[:MAX_OCTETS],
        octets=len(raw),
    )


def of_event(
    *,
    source: str,
    event_id: str,
    kind: Kind,
    address: str,
    text: str = "",
    status: str = "",
    message_id: str = "",
    return_path: str = "",
    envelope_id: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    otherwise: Verdict | None = None,
    at: datetime | None = None,
) -> Brought:
    """An event of a provider that says without a mail what became of one message.

    ``event_id`` is the provider's name for the event: the same one counts once. ``kind`` is BOUNCE, DELAYED or FEEDBACK
    (a complaint). ``message_id``, ``return_path`` (envelope sender), ``envelope_id`` and ``headers`` (lower-case name,
    value) are what the event quotes of the message; one of them must lead to it. ``text`` and ``status`` are judged by
    the rules; ``otherwise`` is the provider's own opinion, which counts where no rule and no code says anything.
    """
    action = {Kind.BOUNCE: Action.FAILED, Kind.DELAYED: Action.DELAYED, Kind.FEEDBACK: Action.COMPLAINED}
    finding = Finding(address, action=action.get(kind, Action.FAILED), status=status, diagnostic=clean(text, MAX_WORDS))
    clues = Clues(
        return_addresses=tuple(filter(None, (return_path,))),
        envelope_ids=tuple(filter(None, (envelope_id,))),
        message_ids=tuple(filter(None, (message_id.strip().strip("<>"),))),
        headers=headers,
    )
    report = Report(kind, (finding,), clues, is_complaint=kind is Kind.FEEDBACK)
    return Brought(
        digest=hashlib.sha256(f"{source}\0{event_id}".encode(errors="replace")).hexdigest(),
        source=clean(source, 100),
        envelope_to="",
        at=at or now(),
        read=lambda: report,
        otherwise=otherwise,
    )


def again(kept: BounceMail) -> Processed:
    """Try a mail once more that was set aside."""
    raw = bytes(kept.raw)
    brought = Brought(
        digest=kept.digest, source=kept.source, envelope_to=kept.envelope_to, at=kept.received_at,
        read=lambda: parse(raw), raw=raw, octets=kept.octets,
    )  # fmt: skip
    with transaction.atomic():
        BounceMail.objects.filter(pk=kept.pk, state=MailState.SET_ASIDE).delete()
        return process_all([brought])[0]


def _batches(brought: Iterable[tuple[Key, Brought]]) -> Iterator[list[tuple[Key, Brought]]]:
    batch: list[tuple[Key, Brought]] = []
    octets = 0
    try:
        for key, each in brought:
            batch.append((key, each))
            octets += len(each.raw)
            if len(batch) == MOST_TOGETHER or octets >= MOST_OCTETS_TOGETHER:
                yield batch
                batch, octets = [], 0
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _together(batch: Sequence[Brought]) -> dict[str, Processed]:
    """What came of each of these, which differ, by digest."""
    try:
        with transaction.atomic():
            understood = understand(batch)
            # What persons want concerns other deliveries as well, whose rows are locked in an order of their own.
            wishes = [each.brought for each in understood if each.is_wish] if len(batch) > 1 else []
            done = _settled([each for each in understood if not (wishes and each.is_wish)])
    except (OperationalError, InterfaceError) as error:
        if len(batch) == 1 or not isinstance(error.__cause__, psycopg.errors.DeadlockDetected):
            raise
        return _divided(batch)
    except Exception as error:
        if len(batch) > 1:
            return _divided(batch)
        logger.exception("A mail from %s could not be processed; it is set aside.", batch[0].source)
        return _set_aside(batch[0], error)
    for each in wishes:
        done |= _together([each])
    return done


def _divided(batch: Sequence[Brought]) -> dict[str, Processed]:
    """In two halves, so that what one mail breaks concerns that mail alone."""
    middle = len(batch) // 2
    return _together(batch[:middle]) | _together(batch[middle:])


def _settled(understood: Sequence[Understood]) -> dict[str, Processed]:
    """Keep what is new of these and do what follows from it."""
    ids = mails.keep([_row(each) for each in understood])
    new = [each for each in understood if each.brought.digest in ids]
    for each in new:
        if each.unsubscribed is not None:
            unsubscribe(each.unsubscribed, source=MAIL)
        for complaint in each.complaints:
            consequences.complained(complaint)
    news = consequences.returned([failure for each in new for failure in each.failures])
    unqualified.note(
        Unknown(each.message.pk, each.words, each.verdict, each.at, is_returned=True)
        for each in news
        if each.is_unknown
    )
    forwarding.note({ids[each.brought.digest]: each.reader for each in new if each.reader is not None})
    known = mails.earlier({each.brought.digest for each in understood} - ids.keys())
    return {each.brought.digest: _result(each, ids) for each in new} | {
        digest: _known(mail) for digest, mail in known.items()
    }


def _row(understood: Understood) -> Row:
    brought = understood.brought
    return Row(
        digest=brought.digest,
        source=brought.source,
        envelope_to=brought.envelope_to if understood.keeps_envelope else "",
        received_at=brought.at,
        kind=understood.kind,
        state=understood.state,
        sentence=understood.sentence,
        message_ids=[message.pk for message in understood.messages],
        findings=understood.findings,
        raw=brought.raw if understood.keeps_raw else b"",
        octets=brought.octets,
    )


def _result(understood: Understood, ids: dict[str, int]) -> Processed:
    outcome = _OUTCOMES[understood.state]
    pk = ids[understood.brought.digest]
    return Processed(outcome, understood.kind, understood.sentence, outcome, pk, understood.reader is not None)


def _known(kept: Earlier) -> Processed:
    first = _OUTCOMES[kept.state]
    return _repeated(Processed(first, kept.kind, "", first, kept.id, kept.is_forwarded))


def _repeated(before: Processed) -> Processed:
    return replace(before, outcome=Outcome.REPEATED, sentence="It came before; nothing was done now.")


def _set_aside(brought: Brought, error: Exception) -> dict[str, Processed]:
    sentence = f"It could not be processed ({type(error).__name__}): {clean(str(error), 500)}"
    aside = Outcome.SET_ASIDE
    with transaction.atomic():
        ids = mails.keep(
            [
                Row(
                    brought.digest, brought.source, brought.envelope_to, brought.at, None, MailState.SET_ASIDE,
                    sentence, (), (), brought.raw, brought.octets,
                )
            ]
        )  # fmt: skip
        known = mails.earlier([brought.digest] if not ids else [])
    done = {digest: Processed(aside, None, sentence, aside, pk) for digest, pk in ids.items()}
    return done | {digest: _known(kept) for digest, kept in known.items()}
