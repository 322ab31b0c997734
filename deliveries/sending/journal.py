"""The outcome journal of a worker: what it knows and PostgreSQL does not know yet.

One file per holder of parts. A line is written *before* a message's first octet leaves and another when its outcome is
known; each is a single write to the page cache, which outlives a killed process (not a dead host). Whoever takes over
replays the file: a message handed over without an outcome is in doubt and is never resent silently.

    H 4294967297                         handing over
    B 4294967297                         taken back: the final dot never left, the message is untouched
    O 4294967297 250 end 2.0.0 Ok: ...   outcome: reply code, stage and text; code 0 is "in doubt", known as such

The holder keeps the file locked; the kernel frees the lock when the process dies, however it dies.
"""

import fcntl
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

IN_DOUBT: Final = 0

_LINE = re.compile(rb"([HB]) ([0-9]+)|(O) ([0-9]+) ([0-9]{1,3}) ([^\n]*)")


class JournalDamaged(Exception):
    """A line before the last cannot be read. What its holder held must be treated as in doubt."""


@dataclass(frozen=True, slots=True)
class JournalledOutcome:
    """A known outcome. `code` is the SMTP reply code, or 0 when the answer was lost (in doubt)."""

    message_id: int
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What a journal says. `in_doubt` has one message at most per connection its holder had open."""

    outcomes: tuple[JournalledOutcome, ...]
    in_doubt: tuple[int, ...]


class Journal:
    """Appends to one file. Replay an existing file before opening it; a torn last line is dropped at opening."""

    __slots__ = ("_descriptor", "_path")

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        whole = path.read_bytes()
        if not whole.endswith(b"\n"):
            os.ftruncate(self._descriptor, whole.rfind(b"\n") + 1)

    def handing_over(self, message_id: int) -> None:
        """Record that the message's content is about to leave."""
        self._append(b"H %d\n" % message_id)

    def taken_back(self, message_id: int) -> None:
        """Record that the content broke off before its final dot: the server cannot have taken the message."""
        self._append(b"B %d\n" % message_id)

    def outcome(self, message_id: int, code: int, text: str) -> None:
        """Record the server's answer. `code` 0 (IN_DOUBT): the answer was lost."""
        line = " ".join(text.split()).encode("utf-8", "replace")
        self._append(b"O %d %d %b\n" % (message_id, code, line))

    def clear(self) -> None:
        """Forget everything; to be called when PostgreSQL has committed it."""
        os.ftruncate(self._descriptor, 0)

    def close(self) -> None:
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _append(self, line: bytes) -> None:
        """One write, so that a killed process leaves a whole line or none. Raises OSError, also when the disk is full."""
        if os.write(self._descriptor, line) != len(line):
            raise OSError(f"The journal {self._path} could not be written completely. Free space on its disk.")

    @staticmethod
    def replay(path: Path) -> Replay:
        """What the journal at `path` says; nothing when there is no such file. Raises JournalDamaged."""
        try:
            whole = path.read_bytes()
        except FileNotFoundError:
            return Replay((), ())
        outcomes: dict[int, JournalledOutcome] = {}
        handed_over: dict[int, None] = {}
        for number, line in enumerate(whole.split(b"\n")[:-1], start=1):
            match = _LINE.fullmatch(line)
            if match is None:
                raise JournalDamaged(
                    f"Line {number} of the journal {path} cannot be read. "
                    "Treat what its worker held as in doubt and move the file away."
                )
            act, subject, _, answered, code, text = match.groups()
            if act == b"H":
                handed_over[int(subject)] = None
                outcomes.pop(int(subject), None)
            elif act == b"B":
                handed_over.pop(int(subject), None)
            else:
                handed_over.pop(int(answered), None)
                outcomes[int(answered)] = JournalledOutcome(int(answered), int(code), text.decode("utf-8", "replace"))
        return Replay(tuple(outcomes.values()), tuple(handed_over))
