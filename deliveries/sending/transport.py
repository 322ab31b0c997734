"""A kept connection: opened when first needed, kept between batches (session.py is one dialogue on it)."""

from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain, islice
from typing import Self

from deliveries.mail import Mail
from deliveries.sending.handshake import RouteAddress
from deliveries.sending.session import Session
from deliveries.sending.smtp.pipeline import converse
from deliveries.sending.smtp.probe import probe
from deliveries.sending.smtp.replies import Reply
from deliveries.sending.smtp.steps import Leaving


def _at_once(mail: Mail, leaving: Leaving) -> bool:
    """For callers that need no record of what is being handed over, and keep to no rate."""
    return True


class Connection:
    """One connection to a route at a time, opened when first needed, kept between batches. Not for several threads."""

    def __init__(self, route: RouteAddress) -> None:
        self._route = route
        self._session: Session | None = None
        self._waited = 0.0

    @property
    def route(self) -> RouteAddress:
        """Where it leads."""
        return self._route

    def open(self) -> None:
        """Connect unless a usable connection is kept. Raises RouteUnavailable."""
        self._kept_or_new()

    def send(
        self,
        mails: Iterable[Mail],
        may_leave: Callable[[Mail, Leaving], bool] = _at_once,
        meanwhile: Callable[[], bool] | None = None,
        *,
        is_test: bool = False,
    ) -> Generator[tuple[Mail, Reply], None, None]:
        """Hand over the mails; the outcome of each as soon as it is known.

        A mail's content leaves only when the outcomes before it have been consumed, and right after `may_leave(mail,
        leaving)` allowed it; so does its announcement where it does not leave behind the content of the mail before.
        What may not leave is passed over, together with what was made behind it. While the server is busy with one,
        `meanwhile` is called until it says that nothing is left to do; without it the next of `mails` is read then. A
        mail that this server cannot be asked to take is answered (stage LOCAL) before the mail that is under way. To
        stop early, end `mails`: closing this iterator drops the connection, and a mail whose outcome was not yielded is
        then untouched.

        With `is_test` nothing is handed over: each address is offered and taken back, and what the server said is the
        outcome.

        Raises RouteUnavailable and ConnectionLost, ValueError for data with bare CR or LF, and what `mails` and
        `may_leave` raise. The Connection can be used again after each of them.
        """
        waiting = _MadeAhead(mails)
        for first in waiting:
            session = self._kept_or_new()
            mails_now = chain((first,), waiting)
            room = session.room
            finished = False
            try:
                yield from session.hand_over(
                    mails_now if room is None else islice(mails_now, room),
                    may_leave,
                    meanwhile or waiting.make_next,
                    probe if is_test else converse,
                )
                finished = session.usable
            finally:
                if not finished:
                    self._drop()
            if session.room == 0:
                self.close()

    def close(self) -> None:
        """Take leave of the server with QUIT, where it still listens."""
        if self._session is not None:
            self._session.quit()
            self._drop()

    @property
    def first_leaving(self) -> Leaving:
        """What of the first mail of a batch leaves first, as far as one can tell before."""
        return Leaving.BOTH if self._session is not None and self._session.sends_at_once else Leaving.MAIL

    @property
    def waited(self) -> float:
        """Seconds spent waiting for the server's answers until now."""
        return self._waited + (self._session.waited if self._session else 0.0)

    def _kept_or_new(self) -> Session:
        if self._session is not None and not self._session.idle:
            self._drop()
        if self._session is None:
            self._session = Session(self._route)
        return self._session

    def _drop(self) -> None:
        if self._session is not None:
            self._session.drop()
            self._waited += self._session.waited
            self._session = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class _MadeAhead:
    """The mails in their order, one of them made before it is asked for."""

    def __init__(self, mails: Iterable[Mail]) -> None:
        self._mails = iter(mails)
        self._next: Mail | None = None
        self._problem: Exception | None = None

    def make_next(self) -> bool:
        """Make the next mail now; nothing is left to do then. What goes wrong is raised when the mail is asked for."""
        if self._next is None and self._problem is None:
            try:
                self._next = next(self._mails, None)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is raised again where it belongs
                self._problem = error
        return False

    def __iter__(self) -> Iterator[Mail]:
        return self

    def __next__(self) -> Mail:
        self.make_next()
        if self._problem is not None:
            raise self._problem
        if self._next is None:
            raise StopIteration
        mail, self._next = self._next, None
        return mail
