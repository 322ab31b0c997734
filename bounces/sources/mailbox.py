"""A mailbox, whatever its server speaks: the interface that ``imap.py`` and ``pop3.py`` fill, and their registry."""

import re
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Final, Self

from bounces.models import MailboxLogin, OursAction
from campaign.lib.connecting import Security, why_not
from campaign.lib.oauth.answer import TokenRefused
from campaign.lib.oauth.sasl import Bearer
from campaign.lib.oauth.tokens import Access
from campaign.lib.sealing import SealBroken
from campaign.lib.waiting import Interrupted
from deliveries.sending import shutdown

CONNECT_SECONDS: Final = 10.0
"""Until the connection is open."""
ANSWER_SECONDS: Final = 60.0
"""For each answer of the server."""
MOST_OCTETS: Final = 256 * 1024 * 1024
"""Of one answer that are read past, to come to the next; a server that goes on is hung up on."""
LOGGING_IN: Final = "while logging in"
"""The step at which a server refuses credentials."""
MOST_TRIES: Final = 5
"""Times that a mail is fetched which the server does not give out; then it is left where it is."""


@dataclass(frozen=True, slots=True)
class MailboxAddress:
    """Where a mailbox is, who logs in, and what to do with the mails in it. `folder` and `ours_folder` are IMAP's.

    Where `access` is given, it and not `secret` has the access token to log in with. Certificates are always checked;
    `authority_file` names a PEM file with the authority to trust instead of the system's.
    """

    name: str
    protocol: str
    host: str
    port: int
    security: Security = Security.TLS
    username: str = ""
    secret: str = field(default="", repr=False)
    login: MailboxLogin = MailboxLogin.PASSWORD
    access: Access | None = None
    authority_file: str = ""
    folder: str = "INBOX"
    ours: OursAction = OursAction.KEEP
    ours_folder: str = ""

    @property
    def label(self) -> str:
        """The mailbox as a sentence names it."""
        return f"the mailbox “{self.name}”"

    @property
    def bearer(self) -> Bearer | None:
        """The mechanism that takes an access token; None where a password is shown."""
        return None if self.login is MailboxLogin.PASSWORD else Bearer(self.login.upper())

    def first_words(self, bearer: Bearer) -> str:
        """The initial response of the mechanism."""
        return bearer.first_words(self.username, self.secret, self.host, self.port)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it lies in a mailbox: its beginning, up to :data:`bounces.parsing.MAX_OCTETS`, and when it came."""

    raw: bytes
    at: datetime | None = None


class MailboxUnavailable(Exception):
    """The mailbox cannot be read now. The message is a sentence for people."""


class LoginRefused(MailboxUnavailable):
    """The server does not take these credentials."""


class LetterUnreadable(Exception):
    """The server does not give this one mail out; the others may still come. The message is what it said."""


class Session(ABC):
    """One connection to a mailbox, logged in.

    A key names a mail for longer than the connection. ``memory`` is what the mailbox's row keeps from one connection to
    the next (JSON): whatever was settled, left or given up is not offered again. Every method raises
    :class:`MailboxUnavailable`.
    """

    protocol: ClassVar[str]

    def __init__(self, address: MailboxAddress, memory: dict[str, Any]) -> None:
        self.address = address
        tries = memory.get("again", {})
        self._tries: dict[str, int] = dict(tries) if isinstance(tries, dict) else {}

    @property
    @abstractmethod
    def memory(self) -> dict[str, Any]:
        """What to remember now."""

    @abstractmethod
    def unread(self) -> Sequence[str]:
        """Keys of the mails that nobody has dealt with yet, the oldest first."""

    @abstractmethod
    def fetch(self, key: str) -> Letter | None:
        """The mail, without a trace in the mailbox; None when it is gone. Raises :class:`LetterUnreadable`."""

    def fetch_each(self, keys: Iterable[str]) -> Iterator[tuple[str, Letter | LetterUnreadable | None]]:
        """These mails beside their keys, as :meth:`fetch` gives them, or why the server does not."""
        for key in keys:
            try:
                yield key, self.fetch(key)
            except LetterUnreadable as error:
                yield key, error

    @abstractmethod
    def settle(self, keys: Sequence[str]) -> None:
        """Do with these mails, which are ours and processed, what the address says."""

    @abstractmethod
    def leave(self, keys: Iterable[str]) -> None:
        """Leave these mails untouched, for good."""

    @abstractmethod
    def describe(self) -> str:
        """How the connection is encrypted, what the mailbox holds and what the server offers."""

    @abstractmethod
    def close(self) -> None:
        """End the connection in order; what was settled is settled after that."""

    @abstractmethod
    def drop(self) -> None:
        """End the connection whatever state it is in. Raises nothing."""

    def wait(self, seconds: float, stop: Callable[[], bool]) -> bool | None:
        """Wait until mail arrives (True), the time is over or ``stop`` says so (False); None when the server cannot
        tell."""
        return None

    def postpone(self, key: str) -> bool:
        """Offer this mail again another time; False, and it is left, when it has been tried often enough."""
        tries = self._tries.pop(key, 0) + 1
        if tries >= MOST_TRIES:
            self.leave([key])
            return False
        self._tries[key] = tries
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.drop()


_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")

Opener = Callable[[MailboxAddress, dict[str, Any]], Session]

PROTOCOLS: Final[dict[str, Opener]] = {}
"""Who opens a session, by the protocol's name: each file registers its own."""


def protocol(session: type[Session]) -> type[Session]:
    """Class decorator: mailboxes of the session's ``protocol`` are opened by it."""
    PROTOCOLS[session.protocol] = session
    return session


def open_session(address: MailboxAddress, memory: dict[str, Any]) -> Session:
    """A session with the mailbox. Raises :class:`MailboxUnavailable` with a sentence that says what to mend.

    Where an access token is needed, the kept one is used or one is fetched first, and once more when the server refuses
    it.
    """
    if address.access is None:
        return _opened(address, memory)
    try:
        token = address.access.token(shutdown.patience)
        try:
            return _opened(replace(address, secret=token), memory)
        except LoginRefused:
            another = address.access.token(shutdown.patience, refused=token)
            if another == token:
                raise
            return _opened(replace(address, secret=another), memory)
    except (TokenRefused, SealBroken, Interrupted) as error:
        raise MailboxUnavailable(str(error)) from error


def _opened(address: MailboxAddress, memory: dict[str, Any]) -> Session:
    from bounces.sources import imap, pop3  # noqa: F401 (they register themselves)

    for typed in (address.username, address.secret, address.folder, address.ours_folder):
        if _CONTROL.search(typed):  # a line break would begin another command
            raise MailboxUnavailable(
                f"User name, password or folder of {address.label} hold a control character. Type them again."
            )
    return PROTOCOLS[address.protocol](address, memory)


def trouble(address: MailboxAddress, error: Exception, step: str) -> MailboxUnavailable:
    """What went wrong at a step (such as “while logging in”), and what to mend."""
    name = address.protocol.upper()
    where = f"The {name} server {address.host}:{address.port}"
    general = why_not(error, protocol=name, host=address.host, port=address.port, settings=address.label)
    match error:
        case _ if general is not None:
            sentence = general
        case TimeoutError():
            sentence = f"{where} did not answer in time {step}. Check host, port and security of {address.label}."
        case ssl.SSLError() | ConnectionError() | EOFError():
            sentence = f"{where} closed the connection {step}. Check port and security of {address.label}."
        case OSError():
            sentence = f"{where} could not be reached ({error}). Check {address.label}."
        case UnicodeError():
            sentence = f"User name, password or folder of {address.label} hold characters that {name} cannot carry."
        case _:
            words = said(error).removeprefix("-ERR ")
            if step == LOGGING_IN and address.bearer is not None:
                return LoginRefused(
                    f"{where} refused the access token: {words.replace(address.secret, '…')}. Check user name and "
                    f"scope of {address.label}, and whether its client may read this user's mail."
                )
            sentence = f"{where} said no {step}: {words}. Check {address.label}."
    return MailboxUnavailable(sentence)


def said(error: Exception) -> str:
    """A server's words, one line without its full stop."""
    words = error.args[0] if error.args else ""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return " ".join(text.split())[:300].rstrip(".") or type(error).__name__
