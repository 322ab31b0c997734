"""SQL kept as SQL: named statements in ``.sql`` files beside the code that runs them.

A statement begins with a line ``-- name: freeze_messages`` and ends where the next one begins. Comments inside it are
kept, so that the database's own log and ``pg_stat_statements`` show them.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

_HEADING = re.compile(r"^--[ \t]*name:[ \t]*(?P<name>\S*)[ \t]*$", re.MULTILINE)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class StatementError(LookupError):
    """A statement is missing, unnamed or named twice. ``str()`` is a sentence for people."""

    def __str__(self) -> str:
        return str(self.args[0])


class Statements(Mapping[str, str]):
    """The statements of one folder by name."""

    def __init__(self, folder: Path, texts: dict[str, str]) -> None:
        self._folder = folder
        self._texts = texts

    def __getitem__(self, name: str) -> str:
        """The statement called ``name``. Raises :class:`StatementError` when there is none."""
        if name not in self._texts:
            known = ", ".join(sorted(self._texts)) or "none"
            raise StatementError(f"No SQL statement is called {name!r} in {self._folder}; there are: {known}.")
        return self._texts[name]

    def __contains__(self, name: object) -> bool:
        return name in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


@cache
def statements(package_dir: Path) -> Statements:
    """Every named statement in the ``.sql`` files of ``package_dir`` and below. Raises :class:`StatementError`."""
    texts: dict[str, str] = {}
    for path in sorted(package_dir.rglob("*.sql")):
        for name, text in _sections(path):
            if name in texts:
                raise StatementError(f"Two SQL statements are called {name!r}; the second is in {path}.")
            texts[name] = text
    return Statements(package_dir, texts)


def _sections(path: Path) -> Iterator[tuple[str, str]]:
    source = path.read_text()
    headings = list(_HEADING.finditer(source))
    ends = [heading.start() for heading in headings[1:]] + [len(source)]
    for heading, end in zip(headings, ends, strict=True):
        name = heading["name"]
        if not _NAME.fullmatch(name):
            raise StatementError(f"{path} has a statement named {name!r}; write lower-case letters, digits and _.")
        text = source[heading.end() : end].strip()
        if not text:
            raise StatementError(f"The statement {name!r} in {path} is empty.")
        yield name, text
