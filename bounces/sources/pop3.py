"""Mailboxes by POP3 (RFC 1939): mails are told apart by UIDL, and what is not ours is left on the server."""

import poplib
import socket
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, Final

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
from campaign.lib.oauth.sasl import Bearer

MAX_LINES: Final = 100_000
"""Of a mail, where the server knows TOP."""
_LINE_OCTETS: Final = 65_536


@protocol
class Pop3Session(Session):
    """A mailbox by POP3. A key is a UIDL, which a server gives to no other mail."""

    protocol: ClassVar[str] = "pop3"

    def __init__(self, address: MailboxAddress, memory: dict[str, Any]) -> None:
        super().__init__(address, memory)
        seen = memory.get("seen", [])
        self._seen: set[str] = set(seen) if isinstance(seen, list) else set()
        with self._step("while connecting"):
            self._client = _connected(address)
        try:
            self._begin()
        except BaseException:
            self.drop()
            raise

    def _begin(self) -> None:
        address = self.address
        with self._step("while agreeing on encryption"):
            if address.security is Security.STARTTLS:
                self._client.stls(tls_context(address.authority_file))
        with self._step(LOGGING_IN):
            if (bearer := address.bearer) is not None:
                self._client.auth(bearer, address.first_words(bearer))
            else:
                self._client.user(address.username)
                self._client.pass_(address.secret)
        with self._step("while listing the mails"):
            self._numbers = self._client.numbers()
            self._knows_top = self._client.knows_top()
        self._seen &= self._numbers.keys()
        self._tries = {key: tries for key, tries in self._tries.items() if key in self._numbers}

    @property
    def memory(self) -> dict[str, Any]:
        """The UIDL of each mail on the server that is dealt with."""
        return {"seen": sorted(self._seen), "again": self._tries}

    def unread(self) -> Sequence[str]:
        """What is on the server and was not seen."""
        return [key for key in self._numbers if key not in self._seen]

    def fetch(self, key: str) -> Letter | None:
        """The mail's beginning: by TOP, because RETR marks a mail as read on many servers."""
        number = self._numbers[key]
        command = f"TOP {number} {MAX_LINES}" if self._knows_top else f"RETR {number}"
        with self._step("while reading"):
            try:
                return Letter(self._client.content(command))
            except poplib.error_proto as error:
                if not said(error).startswith("-ERR") or said(error) == "-ERR EOF":
                    raise
                raise LetterUnreadable(said(error)) from error

    def settle(self, keys: Sequence[str]) -> None:
        """Mark for deletion, which the server does at the end of the session; or remember."""
        if self.address.ours is OursAction.KEEP:
            self.leave(keys)
            return
        with self._step("while tidying up"):
            for key in keys:
                self._client.dele(self._numbers[key])
                self._tries.pop(key, None)

    def leave(self, keys: Iterable[str]) -> None:
        """The UIDL is remembered."""
        for key in keys:
            self._seen.add(key)
            self._tries.pop(key, None)

    def describe(self) -> str:
        """For *Save and test the connection*."""
        top = "it offers TOP" if self._knows_top else "it does not offer TOP, so reading may mark mails as read"
        return f"{encryption(self._client.sock)}; the mailbox holds {len(self._numbers):,} mails; {top}"

    def close(self) -> None:
        """Say QUIT, which deletes what is marked. Without its answer it stays, and comes again."""
        with self._step("while deleting"):
            self._client.quit()

    def drop(self) -> None:
        """Close the socket; nothing is deleted."""
        with suppress(OSError):
            self._client.close()

    @contextmanager
    def _step(self, step: str) -> Iterator[None]:
        """Whatever goes wrong inside becomes MailboxUnavailable."""
        try:
            yield
        except poplib.error_proto as error:
            known: Exception = EOFError() if said(error) == "-ERR EOF" else error
            raise trouble(self.address, known, step) from error
        except (OSError, EOFError, ValueError) as error:
            raise trouble(self.address, error, step) from error


class _Client(poplib.POP3):
    """Python's client, which gives up at a line of more than 2,048 octets: here a mail may have lines of any length."""

    file: Any
    sock: socket.socket
    _shortcmd: Callable[[str], bytes]

    def numbers(self) -> dict[str, int]:
        """The number of each mail by its UIDL, in the server's order."""
        _, lines, _ = self.uidl()
        pairs = (line.decode("ascii", "replace").split(maxsplit=1) for line in lines)
        return {pair[1]: int(pair[0]) for pair in pairs if len(pair) == 2}

    def knows_top(self) -> bool:
        """Whether the server offers TOP."""
        try:
            return "TOP" in {name.upper() for name in self.capa()}
        except poplib.error_proto:  # RFC 2449 is younger than POP3
            return False

    def auth(self, bearer: Bearer, first_words: str) -> None:
        """AUTH in two steps: a token does not fit into the command's line (RFC 5034, section 4)."""
        self._shortcmd(f"AUTH {bearer}")
        answer: bytes = self._shortcmd(b64encode(first_words.encode()).decode())
        if answer.startswith(b"+ "):  # the server tells an error
            self._shortcmd(b64encode(bearer.last_words.encode()).decode())

    def content(self, command: str) -> bytes:
        """The mail that a command gives, without the dots before dots, up to MAX_OCTETS. Raises poplib.error_proto."""
        self._shortcmd(command)
        content = bytearray()
        octets, begins = 0, True
        while True:
            line: bytes = self.file.readline(_LINE_OCTETS)
            octets += len(line)
            if not line or octets > MOST_OCTETS:
                raise poplib.error_proto("-ERR EOF")
            if begins and line.startswith(b"."):
                if line in (b".\r\n", b".\n"):
                    return bytes(content[:MAX_OCTETS])
                line = line[1:]
            if len(content) < MAX_OCTETS:
                content += line
            begins = line.endswith(b"\n")


class _EncryptedClient(_Client):
    """Encrypted from the first octet (RFC 8314)."""

    def __init__(self, host: str, port: int, authority_file: str) -> None:
        self._context = tls_context(authority_file)
        super().__init__(host, port, timeout=CONNECT_SECONDS)

    def _create_socket(self, timeout: float) -> socket.socket:
        plain: socket.socket = super()._create_socket(timeout)  # type: ignore[misc]
        return self._context.wrap_socket(plain, server_hostname=self.host)


def _connected(address: MailboxAddress) -> _Client:
    if address.security is Security.TLS:
        client: _Client = _EncryptedClient(address.host, address.port, address.authority_file)
    else:
        client = _Client(address.host, address.port, timeout=CONNECT_SECONDS)
    client.sock.settimeout(ANSWER_SECONDS)
    return client
