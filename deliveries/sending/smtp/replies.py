"""Reading what an SMTP server answers (RFC 5321 section 4.2)."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

# RFC 5321 section 4.5.3.1.5 allows 512 octets; large providers answer with links and go beyond it.
MAX_LINE_OCTETS: Final = 4_096
# The longest honest answers are EHLO's (some 30 lines). A server that talks on would otherwise fill a worker's memory.
MAX_REPLY_LINES: Final = 100
MAX_REPLY_OCTETS: Final = 32_768

CLOSING: Final = 421
START_INPUT: Final = 354

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Stage(StrEnum):
    """The step of a transaction a reply belongs to; LOCAL: decided here, nothing was sent."""

    LOCAL = "local"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    END_OF_DATA = "end-of-data"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's answer. `text` is one line for people: the lines joined by a space, without control characters."""

    code: int
    text: str
    stage: Stage

    @property
    def accepted(self) -> bool:
        """The server took responsibility for the message (RFC 5321 section 4.2.5)."""
        return self.stage is Stage.END_OF_DATA and 200 <= self.code < 300

    @property
    def temporary(self) -> bool:
        """The same attempt may succeed later."""
        return 400 <= self.code < 500

    def __str__(self) -> str:
        return f"{self.code} {self.text}".rstrip()


class ProtocolViolation(Exception):
    """The server's bytes are no SMTP, or no answer to what was asked. The connection is of no more use."""


class ReplyReader:
    """Collects octets and gives whole replies in the order of their arrival."""

    __slots__ = ("_buffer", "_code", "_lines", "_octets")

    def __init__(self) -> None:
        self._buffer = b""
        self._code = b""
        self._lines: list[bytes] = []
        self._octets = 0

    @property
    def pending(self) -> bool:
        """Octets have arrived that no reply has been taken from yet."""
        return bool(self._buffer or self._lines)

    @property
    def refusing(self) -> bool:
        """What has arrived and was not taken holds a whole line of a refusal (4xx or 5xx)."""
        return any(line[:1] in (b"4", b"5") for line in self._buffer.split(b"\n")[:-1])

    def feed(self, data: bytes) -> None:
        """Add what the socket gave."""
        self._buffer += data

    def take(self, stage: Stage) -> Reply | None:
        """The next whole reply, attributed to `stage`; None while octets are missing.

        Raises ProtocolViolation when a line is no reply line, codes differ inside a reply, or a limit is passed.
        """
        while (end := self._buffer.find(b"\n")) >= 0:
            line, self._buffer = self._buffer[:end].removesuffix(b"\r"), self._buffer[end + 1 :]
            if not self._lines and (reply := _of_one_line(line, stage)) is not None:
                return reply
            if self._add(line):
                return self._finish(stage)
        if len(self._buffer) > MAX_LINE_OCTETS:
            raise ProtocolViolation(f"The server sent a reply line of more than {MAX_LINE_OCTETS} octets.")
        return None

    def _add(self, line: bytes) -> bool:
        """Add one line; true when it is the last of its reply."""
        match = _LINE.fullmatch(line) if len(line) <= MAX_LINE_OCTETS else None
        if match is None:
            raise ProtocolViolation(f"The server sent a line that is no SMTP reply: {line[:80]!r}.")
        code, separator, text = match.groups()
        if self._lines and code != self._code:
            raise ProtocolViolation(f"The server changed its reply code from {self._code!r} to {code!r} in one reply.")
        self._code = code
        self._lines.append(text or b"")
        self._octets += len(line)
        if len(self._lines) > MAX_REPLY_LINES or self._octets > MAX_REPLY_OCTETS:
            raise ProtocolViolation(f"The server sent a reply of more than {MAX_REPLY_LINES} lines or 32 KB.")
        return separator != b"-"

    def _finish(self, stage: Stage) -> Reply:
        reply = _reply(self._code, b" ".join(self._lines), stage)
        self._lines = []
        self._octets = 0
        return reply


def _reply(code: bytes, text: bytes, stage: Stage) -> Reply:
    return Reply(int(code), one_line(text.decode("utf-8", "replace")), stage)


def one_line(text: str) -> str:
    """What a server said, fit for people and for the database: each run of control characters is a space."""
    return _CONTROL.sub(" ", text).strip()


@lru_cache(maxsize=256)
def _of_one_line(line: bytes, stage: Stage) -> Reply | None:
    """The reply that a line is by itself; None for any other line. A server answers MAIL, RCPT and DATA alike."""
    match = _LINE.fullmatch(line) if len(line) <= MAX_LINE_OCTETS else None
    return _reply(match[1], match[3] or b"", stage) if match and match[2] != b"-" else None
