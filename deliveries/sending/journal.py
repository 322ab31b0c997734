"""The outcome journal of a worker: what it knows and PostgreSQL does not know yet.

One file per holder of parts. A line is written *before* a message's first octet leaves and another when its outcome is
known; each is a single write to the page cache, which outlives a killed process (not a dead host). Whoever takes over
replays the file: a message handed over without an outcome is in doubt and is never resent silently.

    H 4294967297                         handing over
    B 4294967297                         taken back: the final dot never left, the message is untouched
    O 4294967297 250 end-of-data 2.0.0   outcome: reply code, stage, text; code 0: the answer was lost

The holder keeps the file locked; the kernel frees the lock when the process dies, however it dies.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from campaign.services.locks import try_exclusive
from deliveries.sending.smtp.replies import Reply, Stage

IN_DOUBT: Final = b"0 - "

_LINE = re.compile(
    rb"([HB]) ([0-9]+)|(O) ([0-9]+) (?:0 - |([0-9]{3}) (local|mail|rcpt|data|end-of-data|reset) ([^\n]*))"
)


class JournalDamaged(Exception):
    """A line before the last cannot be read. What its holder held must be treated as in doubt."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What a journal says: replies by message (``None``: the answer was lost), and the messages handed over without an
    outcome, one at most per connection its holder had open."""

    outcomes: tuple[tuple[int, Reply | None], ...]
    in_doubt: tuple[int, ...]


class Journal:
    """Appends to one file, which it keeps locked. Replay an existing file before opening it."""

    __slots__ = ("_descriptor", "_path", "_under_way")

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._under_way: int | None = None
        whole = path.read_bytes()
        if not whole.endswith(b"\n"):  # a torn last line would run into the next one
            os.ftruncate(self._descriptor, whole.rfind(b"\n") + 1)

    def handing_over(self, message_id: int) -> None:
        """Record that the message's content is about to leave."""
        self._append(b"H %d\n" % message_id)
        self._under_way = message_id

    def taken_back(self, message_id: int) -> None:
        """Record that the content broke off before its final dot: the server cannot have taken the message."""
        self._append(b"B %d\n" % message_id)
        self._under_way = None

    def outcome(self, message_id: int, reply: Reply | None) -> None:
        """Record the server's answer; ``None``: the answer was lost."""
        if reply is None:
            self._append(b"O %d %b\n" % (message_id, IN_DOUBT))
        else:
            text = " ".join(reply.text.split()).encode("utf-8", "replace")
            self._append(b"O %d %03d %b %b\n" % (message_id, reply.code, reply.stage.encode(), text))
        if message_id == self._under_way:
            self._under_way = None

    def clear(self) -> None:
        """Forget everything, when PostgreSQL has committed it; while a message is under way, nothing (recording the
        rest again is harmless, forgetting that one would not be)."""
        if self._under_way is None:
            os.ftruncate(self._descriptor, 0)

    def restart(self) -> None:
        """Forget everything, the message under way as well: its outcome has been recorded as in doubt."""
        self._under_way = None
        self.clear()

    @property
    def is_empty(self) -> bool:
        """PostgreSQL knows everything that this holder knew."""
        return os.fstat(self._descriptor).st_size == 0

    def close(self) -> None:
        """Close the file and free its lock."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _append(self, line: bytes) -> None:
        """One write, so that a killed process leaves a whole line or none. Raises OSError (also for a full disk)."""
        if os.write(self._descriptor, line) != len(line):
            raise OSError(f"The journal {self._path} could not be written completely. Free space on its disk.")

    @staticmethod
    @contextmanager
    def take_over(path: Path) -> Iterator[bool]:
        """Whether the process that wrote ``path`` is gone; inside the block nobody else can take its file over."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:  # somebody else has just recovered it
            yield False
            return
        try:
            yield try_exclusive(descriptor) and path.exists()
        finally:
            os.close(descriptor)

    @staticmethod
    def replay(path: Path) -> Replay:
        """What the journal at `path` says; nothing when there is no such file. Raises JournalDamaged."""
        try:
            whole = path.read_bytes()
        except FileNotFoundError:
            return Replay((), ())
        outcomes: dict[int, Reply | None] = {}
        handed_over: dict[int, None] = {}
        for number, line in enumerate(whole.split(b"\n")[:-1], start=1):
            match = _LINE.fullmatch(line)
            if match is None:
                raise JournalDamaged(
                    f"Line {number} of the journal {path} cannot be read. "
                    "Treat what its worker held as in doubt and move the file away."
                )
            act, subject, _, answered, code, stage, text = match.groups()
            if act == b"H":
                handed_over[int(subject)] = None
                outcomes.pop(int(subject), None)
            elif act == b"B":
                handed_over.pop(int(subject), None)
            else:
                handed_over.pop(int(answered), None)
                outcomes[int(answered)] = _reply(code, stage, text) if code else None
        return Replay(tuple(outcomes.items()), tuple(handed_over))


def _reply(code: bytes, stage: bytes, text: bytes) -> Reply:
    return Reply(int(code), text.decode("utf-8", "replace"), Stage(stage.decode()))
