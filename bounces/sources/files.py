"""Bounces in files, directories and at standard input; a pipe learns by the exit code what became of its mail."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from bounces.parsing import MAX_OCTETS

STANDARD_INPUT: Final = Path("-")


class Exit(IntEnum):
    """Exit codes of sysexits.h, which Postfix's pipe(8), procmail and maildrop understand."""

    OK = 0
    NO_INPUT = 66
    """EX_NOINPUT: a file is not there or cannot be read."""
    NO_USER = 67
    """EX_NOUSER: the mail at standard input is about no message of ours; whoever piped it keeps it or returns it."""
    TEMPORARY = 75
    """EX_TEMPFAIL: keep the mail and bring it again."""


class FileUnreadable(Exception):
    """A file is not there or cannot be read. The message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Found:
    """A mail: its name below the directory that was given (or the last part of its own path), and its beginning."""

    name: str
    raw: bytes


def mails(paths: list[Path]) -> Iterator[Found]:
    """Each mail in these files and directories, in the order of the names; ``-`` is standard input.

    Raises :class:`FileUnreadable`.
    """
    for path in paths:
        if path == STANDARD_INPUT:
            yield Found("-", _all_of_standard_input())
        elif path.is_dir():
            files = (file for file in sorted(path.rglob("*")) if file.is_file())
            yield from (Found(file.relative_to(path).as_posix(), _beginning(file)) for file in files)
        elif path.exists():
            yield Found(path.name, _beginning(path))
        else:
            raise FileUnreadable(f"There is no file or directory {path}.")


def _beginning(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_OCTETS)
    except OSError as error:
        raise FileUnreadable(f"{file} cannot be read: {error.strerror}.") from error


def _all_of_standard_input() -> bytes:
    """Its beginning; the rest is read past, because whoever writes would otherwise take a closed pipe for a failure."""
    stream = sys.stdin.buffer
    raw = stream.read(MAX_OCTETS)
    while stream.read(MAX_OCTETS):
        continue
    return raw
