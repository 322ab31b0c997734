"""The import, from the file's first byte to the last row: read it top to bottom.

One transaction: afterwards everything good is there, or, when the file as a whole is broken, nothing of it.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from django.db import connection, transaction

from campaign.lib.spreadsheet import harmless
from campaign.lib.sql import statements
from recipients.erased import Watch
from recipients.imports.detect import Form, ImportProblem, detect
from recipients.imports.lines import Reject, Row, open_text, read
from recipients.imports.mapping import asked_kinds, checked, guess
from recipients.models import BUILT_IN_FIELDS, AttributeDefinition, AttributeKind, Existing, RecipientList

SQL = statements(Path(__file__).parent / "sql")

REPEATED = "The same address stands again further down; the last line counts."
_PROGRESS_LINES = 5_000


@dataclass(frozen=True, slots=True)
class Counts:
    """Result of an import, in lines."""

    created: int
    existing: int
    rejected: int


def import_file(
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    existing: Existing = Existing.UPDATE,
    list_name: str = "",
    rejects: Path | None = None,
    encoding: str = "",
    progress: Callable[[int], None] | None = None,
) -> Counts:
    """Import a CSV file of recipients; ``progress`` is told how many bytes have been read.

    ``mapping`` gives the field of each column (guessed where it says nothing), for a custom attribute also as
    ``name:kind``. Rejected lines go to ``rejects``. Imports at the same time wait for each other.
    Raises :class:`recipients.imports.detect.ImportProblem`.
    """
    form = detect(path, encoding=encoding)
    targets = {**guess(form.columns), **(mapping or {})}
    used = checked(targets, form.columns)
    with RejectsFile(rejects, form) as rejected, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SQL["one_at_a_time"])
        kinds = _define_attributes(used, asked_kinds(targets))
        cursor.execute(SQL["forget_staging"])
        cursor.execute(SQL["create_staging"])
        watch = Watch()
        with open_text(path, form) as file:
            copy_lines(_told(read(file, form, used, kinds), file, progress), rejected, watch)
        for line, *known_cells in _rows(SQL["repeated"]):
            rejected.add(Reject(line, REPEATED, _cells(form, used, known_cells)))
        cursor.execute(SQL["forget_repeated"])
        cursor.execute(SQL["count_existing"])
        known = cursor.fetchone()[0]
        cursor.execute(SQL["count"])
        total = cursor.fetchone()[0]
        cursor.execute(SQL["insert_or_update" if existing is Existing.UPDATE else "insert_new"])
        if existing is Existing.UPDATE and "may_be_tracked" in used.values():
            cursor.execute(SQL["set_tracking"])
        watch.restore()
        if list_name:
            chosen, _ = RecipientList.objects.get_or_create(name__iexact=list_name, defaults={"name": list_name})
            cursor.execute(SQL["add_to_list"], {"list": chosen.pk})
    return Counts(created=total - known, existing=known, rejected=rejected.count)


class RejectsFile:
    """A CSV file of rejected lines: number, reason, cells; no cell can be taken for a formula by a spreadsheet."""

    def __init__(self, path: Path | None, form: Form) -> None:
        self.count = 0
        self._file = path.open("w", newline="", encoding="utf-8-sig") if path else None
        self._writer = csv.writer(self._file) if self._file else None
        if self._writer:
            self._writer.writerow(["Line", "Reason", *map(harmless, form.columns)])

    def add(self, reject: Reject) -> None:
        """Write a line."""
        self.count += 1
        if self._writer:
            self._writer.writerow([reject.line, reject.reason, *map(harmless, reject.cells)])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file:
            self._file.close()


def copy_lines(lines: Iterable[Row | Reject], rejected: RejectsFile, watch: Watch) -> None:
    """Good lines go to the staging table, the others to the rejects; ``watch`` sees who comes in."""
    raw: Any = connection.connection
    with raw.cursor() as cursor, cursor.copy(SQL["copy_staging"]) as copy:
        for line in lines:
            if isinstance(line, Row):
                watch.look(line.key)
                copy.write_row(_values(line))
            else:
                rejected.add(line)


def _told(
    lines: Iterable[Row | Reject], file: IO[str], progress: Callable[[int], None] | None
) -> Iterator[Row | Reject]:
    """The lines as they are; now and then, and at the end, ``progress`` hears how far the file is read."""
    for number, line in enumerate(lines, start=1):
        yield line
        if progress and not number % _PROGRESS_LINES:
            progress(file.buffer.tell())  # type: ignore[attr-defined]
    if progress:
        progress(file.buffer.tell())  # type: ignore[attr-defined]


def _rows(statement: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, however many, without holding them in memory."""
    raw: Any = connection.connection
    with raw.cursor(name="import_rows") as cursor:
        cursor.execute(statement)
        yield from cursor


def _cells(form: Form, used: Mapping[str, str], staged: list[Any]) -> tuple[str, ...]:
    """A staged line in the columns of the file; columns that were left out are empty."""
    *plain, attributes = staged
    values = {**json.loads(attributes), **dict(zip(BUILT_IN_FIELDS, plain, strict=True))}
    return tuple(str(values.get(used.get(column, ""), "")) for column in form.columns)


def _values(row: Row) -> tuple[object, ...]:
    return (
        row.line,
        row.key,
        row.address,
        row.first_name,
        row.last_name,
        row.language,
        row.time_zone,
        row.mail_format,
        row.may_be_tracked,
        row.attributes,
    )


def _define_attributes(used: Mapping[str, str], asked: Mapping[str, AttributeKind]) -> dict[str, str]:
    """Define what is new; the kind of every custom attribute of the mapping. Raises :class:`ImportProblem`."""
    labels = {field: column for column, field in used.items() if field not in BUILT_IN_FIELDS}
    AttributeDefinition.objects.bulk_create(
        [
            AttributeDefinition(name=name, label=label[:200], kind=asked.get(name, AttributeKind.TEXT))
            for name, label in labels.items()
        ],
        ignore_conflicts=True,
    )
    kinds = dict(AttributeDefinition.objects.filter(name__in=labels).values_list("name", "kind"))
    for name, kind in asked.items():
        if kinds[name] != kind:
            held = AttributeKind(kinds[name]).label.lower()
            raise ImportProblem(f"“{name}” is known with the kind “{held}”. Leave its kind out, or use another name.")
    return kinds
