"""The sending loop: claim a part, render and transmit its messages, record what became of them, give the part back.

What must hold (docs/architecture.md, "Crash reasoning"): the hand-over and the outcome of each message are appended to
this process's journal file before the next message's content leaves, so a killed worker leaves at most the message on
the wire in doubt. Outcomes reach PostgreSQL in bulk; the journal is emptied only after that commit.
"""

import logging
import os
import socket
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError

from campaign.lib.clock import now
from campaign.lib.sealing import SealBroken
from deliveries.mail import Mail
from deliveries.models import Part
from deliveries.rendering.merge import MessageError
from deliveries.rows import pending_rows
from deliveries.sending import outcomes, parts, rest, shutdown
from deliveries.sending.ahead import Ahead
from deliveries.sending.handshake import RouteUnavailable
from deliveries.sending.journal import Journal
from deliveries.sending.outcomes import Outcome
from deliveries.sending.passed_over import PassedOver
from deliveries.sending.recovery import STARTED_OVER, SUFFIX, recover
from deliveries.sending.routes import Connections, NoRoute, RouteBusy
from deliveries.sending.session import ConnectionLost
from deliveries.sending.smtp.replies import Reply, Stage
from deliveries.sending.smtp.steps import Leaving
from deliveries.sending.throttle import FREE, LONGEST_WAIT, Throttle, Turn, is_throttling
from deliveries.sending.turns import Turns

logger = logging.getLogger(__name__)

FLUSH_MESSAGES = 500
FLUSH_AFTER = timedelta(seconds=0.5)
"""Outcomes go to PostgreSQL after so many messages or so much time; pause and stop are noticed then."""

MISSED_IN_A_SECOND = 500
"""Messages that a lane might have sent while it waited for turns. They count as handed out: a delivery that a rate
holds back would else be behind all others at any time, and have all lanes wait with it."""


class Worker:
    """One lane: a holder's name, its journal, its connections, and one part at a time. Not for several threads."""

    def __init__(self, journals: Path | None = None, throttle: Throttle | None = None) -> None:
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.journals = journals or Path(settings.VAR_DIR) / "journals"
        self.path = self.journals / f"{self.holder}{SUFFIX}"
        self.journal = Journal(self.path)
        self.connections = Connections()
        self.throttle = throttle or Throttle()
        self.passed_over = PassedOver()
        self._idle = 0.0
        self.until = datetime.max.replace(tzinfo=UTC)
        self.found_no_room = False

    def work(self, until: datetime) -> bool:
        """Send part after part until ``until``; returns whether there may be more to do."""
        self.until = until
        self.found_no_room = False
        self._start_over()
        try:
            while not self.must_stop():
                if not self.step() and not self._wait_for_turn():
                    return False
            return True
        finally:
            self.connections.close()

    def step(self) -> bool:
        """Claim and send one part; returns whether there was one."""
        part = parts.claim(
            self.holder, now(), without=self.passed_over.deliveries(), looked_at=self.passed_over.looked_at()
        )
        if part is None:
            self.found_no_room = self.passed_over.found_no_room
            return False
        try:
            self._send(part)
        except RouteBusy:
            self.passed_over.route_is_busy(part.delivery_id)
            parts.give_back(part, self.holder)
        except Exception:
            self._start_over()
            rest.after_loss(part, now())
            raise
        return True

    def close(self) -> None:
        """End in order: take leave of the servers, and leave neither claim nor journal behind.

        While the database is away both stay, and the next worker on this host takes them over.
        """
        self.connections.close()
        try:
            self._start_over()
        except DatabaseError as error:
            logger.warning("The database does not answer (%s); %s is kept for the next worker.", error, self.path)
        else:
            self.path.unlink(missing_ok=True)
        self.journal.close()

    @property
    def waited(self) -> float:
        """Seconds spent waiting for servers' answers and for turns until now."""
        return self.connections.waited + self._idle

    def must_stop(self) -> bool:
        """The time is up, or the whole process is asked to end."""
        return shutdown.asked() or now() >= self.until

    def _start_over(self) -> None:
        """Record what this worker knows and PostgreSQL does not, and give its part back."""
        recover(self.holder, self.path, STARTED_OVER)
        if self.path.exists():
            self.journal.restart()
        else:  # damaged and put aside
            self.journal.close()
            self.journal = Journal(self.path)

    def _send(self, part: Part) -> None:
        batch = _Batch(self, part)
        not_before, idle = None, self._idle
        try:
            connection = self.connections.to(part.delivery)
            route = connection.route
            turns = Turns(pending_rows(part), self.throttle, route.id, route.messages_per_second)
            may_leave = partial(self._may_leave, batch, turns)
            while batch.goes_on and not turns.over:
                ahead = Ahead(turns.ready(connection.first_leaving))
                for mail, reply in connection.send(
                    self._mails(ahead, batch), may_leave, ahead.make_more, is_test=part.delivery.test_smtp
                ):
                    batch.add(mail.id, reply)
                    self._heed(mail, reply)
                    batch.flush_when_due()
            if turns.ask_again_in is not None:
                not_before = now() + timedelta(seconds=turns.ask_again_in)
                self.passed_over.must_wait(
                    part.delivery_id, turns.ask_again_in, wholly=not batch.tried, by_route=turns.by_route
                )
        except RouteBusy:
            raise
        except (RouteUnavailable, NoRoute, SealBroken) as error:
            self._unreachable(part, str(error))
        except ConnectionLost as lost:
            self._lost(part, batch, lost)
        batch.flush()
        if batch.answered:
            rest.over(part)
        if batch.tried:
            rest.got_on(part)
        missed = round((self._idle - idle) * MISSED_IN_A_SECOND)
        parts.give_back(part, self.holder, tried=batch.tried + missed, not_before=not_before)

    def _may_leave(self, batch: "_Batch", turns: Turns, mail: Mail, leaving: Leaving) -> bool:
        """Whether this of a mail leaves now, at its turn; the journal knows then that a content does. It does not when
        its turn is far away, or when the part was called off: the mail was made, perhaps announced, while a slow server
        had the one before, and somebody paused, stopped or unsubscribed meanwhile."""
        while batch.is_wanted():
            turn = turns.of(mail.id, leaving)
            if turn is FREE or (turn.granted and self._keeps(turn)):
                if leaving is not Leaving.MAIL:
                    self.journal.handing_over(mail.id)
                return True
            if not turn.granted:
                if leaving is not Leaving.CONTENT or shutdown.asked():
                    return False
                self._wait(min(turn.wait, LONGEST_WAIT))
        return False

    def _keeps(self, turn: Turn) -> bool:
        """Wait for a turn; false when it was missed."""
        self._wait(turn.at - time.monotonic())
        return not turn.missed

    def _heed(self, mail: Mail, reply: Reply) -> None:
        """Slow the domain down whose server says that it gets too much."""
        if is_throttling(reply):
            self.throttle.complain(mail.recipient.rpartition("@")[2].lower())

    def _wait_for_turn(self) -> bool:
        """Wait for what was held back and may leave soon; false when there is no such thing."""
        seconds = self.passed_over.nap()
        if seconds is None:
            return False
        time.sleep(seconds)  # not counted as waiting: another lane would have to wait as well
        return True

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)
            self._idle += seconds

    def _unreachable(self, part: Part, sentence: str) -> None:
        if shutdown.asked():  # this side may have ended it
            return
        if rest.others_send(
            part, now()
        ):  # the server takes no more connections for now; that is no reason for them to rest
            logger.info("Delivery %s goes on by other connections: %s", part.delivery_id, sentence)
            self.passed_over.route_is_busy(part.delivery_id)
            return
        rest.note(part, sentence)
        rest.while_unreachable(part, now())

    def _lost(self, part: Part, batch: "_Batch", lost: ConnectionLost) -> None:
        if lost.mail is not None:
            batch.add(lost.mail.id, None)
        if lost.taken_back is not None:
            self.journal.taken_back(lost.taken_back.id)
        if lost.refused is not None and lost.reply is not None:
            self._heed(lost.refused, lost.reply)
        rest.note(part, lost.sentence)
        batch.flush()
        if shutdown.asked():  # this side may have ended it
            return
        if not batch.answered:
            rest.after_loss(part, now())
        if not batch.tried and (failure := rest.blamed(part, lost.sentence, now())):
            outcomes.record([failure], [part.pk])
            batch.tried = 1

    def _mails(self, ahead: Ahead, batch: "_Batch") -> Iterator[Mail]:
        """The mails that may leave now, until the time is up, or somebody pauses or stops the delivery."""
        for message_id, mail in ahead:
            if shutdown.asked() or not batch.goes_on:
                batch.goes_on = False
                return
            if isinstance(mail, MessageError):
                batch.add(message_id, outcomes.not_made(str(mail)))
                batch.flush_when_due()
            else:
                yield mail


class _Batch:
    """Outcomes of one part that PostgreSQL does not know yet."""

    def __init__(self, worker: Worker, part: Part) -> None:
        self.worker = worker
        self.part = part
        self.outcomes: list[Outcome] = []
        self.since = now()
        self.goes_on = True
        self.called_off = False
        self.tried = 0
        self.answered = False

    def is_wanted(self) -> bool:
        """Whether the part's messages shall still leave, as of half a second ago."""
        if now() - self.since >= FLUSH_AFTER:
            self.flush()
        return not self.called_off

    def add(self, message_id: int, reply: Reply | None) -> None:
        """Journal an outcome now, record it with the next flush. ``None`` is an answer that never came."""
        self.worker.journal.outcome(message_id, reply)
        self.tried += 1
        self.answered = self.answered or (reply is not None and reply.stage is not Stage.LOCAL)
        at = now()
        self.outcomes.append(
            outcomes.of_reply(message_id, reply, at)
            if reply is not None
            else outcomes.in_doubt(message_id, outcomes.NO_ANSWER, at)
        )

    def flush_when_due(self) -> None:
        """Record once enough has come together, and notice then that the sending shall end."""
        due = len(self.outcomes) >= FLUSH_MESSAGES or now() - self.since >= FLUSH_AFTER
        if due:
            self.flush()
            if self.worker.must_stop():
                self.goes_on = False

    def flush(self) -> None:
        """Record, renew the lease, and learn whether the part was called off."""
        outcomes.record(self.outcomes, [self.part.pk])
        self.worker.journal.clear()
        self.outcomes = []
        self.since = now()
        passed_over = self.worker.passed_over
        if not parts.renew(
            self.part,
            self.worker.holder,
            now(),
            without=passed_over.deliveries(),
            looked_at=passed_over.looked_at(),
        ):
            self.called_off = True
            self.goes_on = False
