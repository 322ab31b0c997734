"""The lines of a CSV file as rows for the database, one at a time, and the rejected ones with their reason."""

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from recipients.addresses import AddressError, key, normalise
from recipients.imports.detect import Form, ImportProblem, header, likely_encoding
from recipients.imports.values import PARSERS, CellError, Value, mail_format, yes_or_no

MAX_CELL = 10_000
_BREAKS_AND_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_WRONG = "\ud800"
"""Stands for bytes that are no text; no text that was decoded holds half a character."""
_MARK_WRONG = "recipients.imports.mark_wrong"
codecs.register_error(_MARK_WRONG, lambda error: (_WRONG, error.end))  # type: ignore[attr-defined]
_LENGTHS = {"first_name": 200, "last_name": 200, "language": 16, "time_zone": 64, "mail_format": 20}


@dataclass(frozen=True, slots=True)
class Row:
    """A good line: its number in the file, key and address, names and so on, custom attributes as JSON."""

    line: int
    key: str
    address: str
    first_name: str
    last_name: str
    language: str
    time_zone: str
    mail_format: str
    may_be_tracked: bool | None
    """``None``: the file does not say."""
    attributes: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that cannot be imported."""

    line: int
    reason: str
    cells: tuple[str, ...]


def read(file: IO[str], form: Form, mapping: Mapping[str, str], kinds: Mapping[str, str]) -> Iterator[Row | Reject]:
    """Every line after the first, in order; ``kinds`` gives the kind of each custom attribute of the mapping.

    Raises :class:`ImportProblem` when the file as a whole is broken.
    """
    csv.field_size_limit(MAX_CELL * 10)
    reader = csv.reader(file, delimiter=form.delimiter, strict=True)
    positions = {field: form.columns.index(column) for column, field in mapping.items()}
    attributes = [(name, positions[name], PARSERS[kind]) for name, kind in kinds.items()]
    made = _maker(positions, attributes)
    try:
        header(reader, form.delimiter)
        empty = True
        start = reader.line_num + 1
        for cells in reader:
            if any(cells):
                empty = False
                yield _row_or_reject(start, cells, len(form.columns), made)
            start = reader.line_num + 1
    except csv.Error as error:
        raise ImportProblem(f"Line {reader.line_num}: {_csv_sentence(str(error))}") from error
    except UnicodeDecodeError as error:
        raise ImportProblem(_encoding_sentence(Path(file.name), form, error)) from error
    if empty:
        raise ImportProblem(
            "The file has no lines of data: below the names of the columns there must be one per person."
        )


def open_text(path: Path, form: Form) -> IO[str]:
    """The file as text, line breaks inside quotes kept."""
    return path.open(encoding=form.encoding, newline="")


Maker = Callable[[int, list[str]], Row]


def _maker(positions: Mapping[str, int], attributes: list[tuple[str, int, Callable[[str], Value]]]) -> Maker:
    at = positions["address"]
    plain = [positions.get(name) for name in _LENGTHS]
    tracking = positions.get("may_be_tracked")

    def make(line: int, cells: list[str]) -> Row:
        address = normalise(cells[at])
        values = ["" if position is None else _on_one_line(cells[position]) for position in plain]
        for (name, limit), value in zip(_LENGTHS.items(), values, strict=True):
            if len(value) > limit:
                raise CellError(f"{name.replace('_', ' ').capitalize()} is longer than {limit} characters.")
        custom = {name: parse(text) for name, position, parse in attributes if (text := cells[position].strip())}
        first_name, last_name, language, time_zone, written_format = values
        tracked = "" if tracking is None else cells[tracking].strip()
        attributes_json = json.dumps(custom, ensure_ascii=False)
        return Row(
            line,
            key(address),
            address,
            first_name,
            last_name,
            language,
            time_zone,
            mail_format(written_format),
            yes_or_no(tracked) if tracked else None,
            attributes_json,
        )

    return make


def _on_one_line(text: str) -> str:
    """The text with a space where line breaks and control characters stood, and none around it."""
    return " ".join(piece for part in _BREAKS_AND_CONTROLS.split(text) if (piece := part.strip()))


def _row_or_reject(line: int, cells: list[str], width: int, make: Maker) -> Row | Reject:
    if len(cells) != width:
        reason = f"{len(cells)} cells instead of {width}: a delimiter too many or too few, or a missing quote."
        return Reject(line, reason, tuple(cells))
    if any("\x00" in cell or len(cell) > MAX_CELL for cell in cells):
        return Reject(line, f"A cell holds a NUL character or more than {MAX_CELL:,} characters.", tuple(cells))
    try:
        return make(line, cells)
    except (AddressError, CellError) as error:
        return Reject(line, str(error), tuple(cells))


def _encoding_sentence(path: Path, form: Form, error: UnicodeDecodeError) -> str:
    """Which line it is is found by reading again: text is decoded in blocks, far ahead of the line that is at hand."""
    with path.open(encoding=form.encoding, newline="", errors=_MARK_WRONG) as file:
        line = next(number for number, text in enumerate(file, start=1) if _WRONG in text)
    likely = likely_encoding(error.object)
    guess = f"; they look like {likely}" if likely != form.encoding else ""
    return (
        f"Line {line:,} holds bytes that are not {form.encoding}{guess}. "
        "Save the table as “CSV (UTF-8)”, or state its encoding."
    )


def _csv_sentence(message: str) -> str:
    if "field larger" in message:
        return (
            f"a cell holds more than {MAX_CELL * 10:,} characters. "
            "Shorten it, or close the quotation mark that is opened before it."
        )
    if "end of data" in message:
        return "a quotation mark is opened and never closed. Close it, or double it where it belongs to the text."
    return "a quotation mark stands in the middle of a cell. Put the whole cell in quotes and double those inside."
