"""Mailboxes by IMAP (RFC 3501, RFC 9051): read without setting a flag, told of news by IDLE (RFC 2177)."""

import imaplib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, repeat
from typing import Any, ClassVar, Final

from imapclient import DELETED, SEEN, IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from bounces.models import OursAction
from bounces.parsing import MAX_OCTETS
from bounces.sources.mailbox import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    LOGGING_IN,
    MOST_OCTETS,
    Letter,
    LetterUnreadable,
    MailboxAddress,
    Session,
    protocol,
    said,
    trouble,
)
from campaign.lib.connecting import Security, encryption, tls_context

_OF_INTEREST: Final = ("IDLE", "MOVE", "UIDPLUS")
_LOOK_SECONDS: Final = 1.0
"""How often waiting looks whether it should stop."""
_TOGETHER: Final = 50
"""Mails in one answer."""
_OCTETS_TOGETHER: Final = 4 * 1024 * 1024
"""Of them all, by the sizes that the server gives."""
_MOST_KEPT: Final = 64 * 1024 * 1024
"""Octets of one answer that are taken into memory."""
_LITERAL: Final = re.compile(rb"\{(\d{1,19})\}\r\n\Z")
"""RFC 3501, section 4.3."""
_EMPTY: Final = "the answer holds no mail"

# The answer to SEARCH is one line. Python's client gives up at a million octets, some 130,000 mails.
imaplib._MAXLINE = _MOST_KEPT  # type: ignore[attr-defined]  # noqa: SLF001


@protocol
class ImapSession(Session):
    """A folder by IMAP. A key is a UID, good while the folder's UIDVALIDITY is the same."""

    protocol: ClassVar[str] = "imap"

    def __init__(self, address: MailboxAddress, memory: dict[str, Any]) -> None:
        super().__init__(address, memory)
        self._meter = _Meter()
        with self._step("while connecting"):
            self._client = _connected(address)
        self._meter.watch(self._client)
        try:
            self._begin(memory)
        except BaseException:
            self.drop()
            raise

    def _begin(self, memory: dict[str, Any]) -> None:
        with self._step("while agreeing on encryption"):
            if self.address.security is Security.STARTTLS:
                self._client.starttls(tls_context(self.address.authority_file))
        with self._step(LOGGING_IN):
            if (bearer := self.address.bearer) is not None:
                # What comes after the first words is the server telling an error.
                words = chain([self.address.first_words(bearer)], repeat(bearer.last_words))
                self._client.sasl_login(bearer, lambda _: next(words))
            else:
                self._client.login(self.address.username, self.address.secret)
            self._offers = {name.decode("ascii", "replace").upper() for name in self._client.capabilities()}
        with self._step(f"while opening the folder {self.address.folder}"):
            state = self._client.select_folder(self.address.folder)
            self._size, self._validity = _number(state, b"EXISTS"), _number(state, b"UIDVALIDITY")
        # Other numbers than before: nothing that we remember can be told from the rest.
        known = memory.get("validity") == self._validity
        self._last = int(memory.get("last", 0)) if known else 0
        if not known:
            self._tries.clear()
        self._offered: list[int] = []
        self._done: set[int] = set()

    @property
    def memory(self) -> dict[str, Any]:
        """The number up to which everything is dealt with, and what is to be tried again."""
        last = self._last
        for uid in self._offered:
            if uid > last:
                if uid not in self._done:
                    break
                last = uid
        return {"validity": self._validity, "last": last, "again": self._tries}

    def unread(self) -> Sequence[str]:
        """What came after the last one, and what is to be tried again."""
        self._last = self.memory["last"]
        with self._step("while looking for mails"):
            self._client.noop()
            # “n:*” always gives the last mail, however low its number is.
            found = {uid for uid in self._client.search(["UID", f"{self._last + 1}:*"]) if uid > self._last}
        self._offered = sorted(found | {int(key) for key in self._tries})
        self._done = set()
        return [str(uid) for uid in self._offered]

    def fetch(self, key: str) -> Letter | None:
        """The mail's beginning by PEEK, so that no flag changes."""
        letter = self._fetched([int(key)])[int(key)]
        if isinstance(letter, LetterUnreadable):
            raise letter
        return letter

    def fetch_each(self, keys: Iterable[str]) -> Iterator[tuple[str, Letter | LetterUnreadable | None]]:
        """Many in one answer, because a distant server takes longer to answer than to give out a mail."""
        for group in self._groups([int(key) for key in keys]):
            try:
                letters = self._fetched(group)
            except LetterUnreadable:  # one of them; which one, the server does not say
                yield from super().fetch_each(map(str, group))
            else:
                yield from ((str(uid), letter) for uid, letter in letters.items())

    def _groups(self, uids: list[int]) -> Iterator[list[int]]:
        sizes = self._sizes(uids) if len(uids) > 1 else {}
        group: list[int] = []
        octets = 0
        for uid in uids:
            size = min(sizes.get(uid, MAX_OCTETS), MAX_OCTETS)
            if group and (len(group) == _TOGETHER or octets + size > _OCTETS_TOGETHER):
                yield group
                group, octets = [], 0
            group.append(uid)
            octets += size
        if group:
            yield group

    def _sizes(self, uids: list[int]) -> dict[int, int]:
        """How long these mails are, as far as the server says so."""
        with self._step("while reading"):
            try:
                answer = self._client.fetch(uids, ["RFC822.SIZE"])
            except IMAPClientAbortError:
                raise
            except (IMAPClientError, RecursionError):  # whatever it is, it is said of the mail when that is fetched
                return {}
        sizes = {uid: item.get(b"RFC822.SIZE") for uid, item in answer.items()}
        return {uid: size for uid, size in sizes.items() if isinstance(size, int) and size >= 0}

    def _fetched(self, uids: list[int]) -> dict[int, Letter | LetterUnreadable | None]:
        """These mails in their order. Raises LetterUnreadable where the server says so of one of them."""
        with self._step("while reading"):
            try:
                answer = self._client.fetch(uids, [f"BODY.PEEK[]<0.{MAX_OCTETS}>", "INTERNALDATE"])
            except IMAPClientAbortError:
                raise
            except IMAPClientError as error:
                raise LetterUnreadable(said(error)) from error
            except RecursionError:
                raise LetterUnreadable("the answer is nested too deeply") from None
        return {uid: _letter(answer.get(uid)) for uid in uids}

    def settle(self, keys: Sequence[str]) -> None:
        """Move, delete or mark as read."""
        uids = [int(key) for key in keys]
        if not uids:
            return
        with self._step("while tidying up"):
            match self.address.ours:
                case OursAction.KEEP:
                    self._client.add_flags(uids, [SEEN], silent=True)
                case OursAction.MOVE:
                    self._move(uids)
                case OursAction.DELETE:
                    self._delete(uids)
        self._forget(keys)

    def _move(self, uids: list[int]) -> None:
        folder = self.address.ours_folder
        if not self._client.folder_exists(folder):
            self._client.create_folder(folder)
        if "MOVE" in self._offers:
            self._client.move(uids, folder)
        else:
            self._client.copy(uids, folder)
            self._delete(uids)

    def _delete(self, uids: list[int]) -> None:
        """Without UIDPLUS (RFC 4315) they are only marked: a plain EXPUNGE would delete what others marked, too."""
        self._client.add_flags(uids, [DELETED, SEEN], silent=True)
        if "UIDPLUS" in self._offers:
            self._client.uid_expunge(uids)

    def leave(self, keys: Iterable[str]) -> None:
        """Only the number is remembered."""
        self._forget(keys)

    def postpone(self, key: str) -> bool:
        """The number counts as dealt with; the mail is asked for by itself."""
        again = super().postpone(key)
        self._done.add(int(key))
        return again

    def _forget(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._done.add(int(key))
            self._tries.pop(key, None)

    def wait(self, seconds: float, stop: Callable[[], bool]) -> bool | None:
        """By IDLE, where the server offers it."""
        if "IDLE" not in self._offers:
            return None
        until = time.monotonic() + seconds
        with self._step("while waiting for mail"):
            self._client.idle()
            news = False
            while not news and not stop() and (left := until - time.monotonic()) > 0:
                told = self._client.idle_check(min(left, _LOOK_SECONDS))
                news = any(len(each) > 1 and each[1] in (b"EXISTS", b"RECENT") for each in told)
            self._client.idle_done()
        return news

    def describe(self) -> str:
        """For *Save and test the connection*."""
        offers = [name for name in _OF_INTEREST if name in self._offers]
        offered = f"it offers {', '.join(offers)}" if offers else "it offers none of IDLE, MOVE and UIDPLUS"
        return f"{encryption(self._client.socket())}; {self.address.folder} holds {self._size:,} mails; {offered}"

    def close(self) -> None:
        """Log out."""
        with suppress(IMAPClientError, OSError):  # everything is settled already
            self._client.logout()

    def drop(self) -> None:
        """Close the socket."""
        with suppress(IMAPClientError, OSError):
            self._client.shutdown()

    @contextmanager
    def _step(self, step: str) -> Iterator[None]:
        """Whatever goes wrong inside becomes MailboxUnavailable."""
        self._meter.begin()
        try:
            yield
        except IMAPClientAbortError as error:
            raise trouble(self.address, EOFError(*error.args), step) from error
        except (IMAPClientError, OSError, EOFError, ValueError, KeyError) as error:
            raise trouble(self.address, error, step) from error


def _letter(item: Mapping[bytes, Any] | None) -> Letter | LetterUnreadable | None:
    if item is None:
        return None
    raw = item.get(b"BODY[]<0>")
    return Letter(raw, item.get(b"INTERNALDATE")) if isinstance(raw, bytes) else LetterUnreadable(_EMPTY)


class _Meter:
    """Counts what a server says, so that no answer fills the memory: of a text the beginning is kept, the rest is read
    past; an answer that goes on and on is an error."""

    _read: Callable[[int], bytes]
    _readline: Callable[[], bytes]

    def __init__(self) -> None:
        self.begin()

    def watch(self, client: IMAPClient) -> None:
        """Count what comes by this connection."""
        connection = client._imap  # noqa: SLF001 (nothing public stands between the socket and the memory)
        self._read, self._readline = connection.read, connection.readline
        connection.read, connection.readline = self.read, self.readline

    def begin(self) -> None:
        """Another answer."""
        self._kept = self._octets = self._surplus = 0

    def readline(self) -> bytes:
        """A line; one that announces a longer text than is kept announces what is kept. Raises ValueError."""
        line = self._readline()
        self._count(len(line), kept=len(line))
        if (announced := _LITERAL.search(line)) and (surplus := int(announced[1]) - MAX_OCTETS) > 0:
            self._surplus = surplus
            return line[: announced.start()] + b"{%d}\r\n" % MAX_OCTETS
        return line

    def read(self, size: int) -> bytes:
        """The text that was announced. Raises ValueError."""
        self._count(size + self._surplus, kept=size)
        text = self._read(size)
        while self._surplus > 0 and (passed := self._read(min(self._surplus, MAX_OCTETS))):
            self._surplus -= len(passed)
        return text

    def _count(self, octets: int, *, kept: int) -> None:
        self._octets += octets
        self._kept += kept
        if self._octets > MOST_OCTETS or self._kept > _MOST_KEPT:
            raise ValueError("its answer is too long")


def _number(state: Mapping[bytes, Any], name: bytes) -> int:
    """What the answer to SELECT says under this name. Raises IMAPClientError where a server leaves it out."""
    if name not in state:
        raise IMAPClientError(f"its answer lacks {name.decode()}")
    return int(state[name])


def _connected(address: MailboxAddress) -> IMAPClient:
    encrypted = address.security is Security.TLS
    client = IMAPClient(
        address.host,
        address.port,
        ssl=encrypted,
        ssl_context=tls_context(address.authority_file) if encrypted else None,
        timeout=SocketTimeout(CONNECT_SECONDS, ANSWER_SECONDS),
    )
    client.normalise_times = False  # times stay aware
    return client
