"""What kind of CSV file this is: encoding, delimiter, columns."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO
from itertools import dropwhile, islice
from pathlib import Path

from charset_normalizer import from_bytes

SAMPLE_BYTES = 64 * 1024
_SAMPLE_LINES = 20
DELIMITERS = ",;\t|"
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class ImportProblem(Exception):
    """The file cannot be imported; nothing was changed. ``str()`` is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Form:
    """How to read a file, and the names in its first line."""

    encoding: str
    delimiter: str
    columns: tuple[str, ...]


def detect(path: Path, *, encoding: str = "") -> Form:
    """The form of a CSV file. Raises :class:`ImportProblem` when it cannot be one."""
    try:
        with path.open("rb") as file:
            sample = file.read(SAMPLE_BYTES)
    except OSError as error:
        raise ImportProblem(f"The file {path.name} cannot be read: {error.strerror}.") from error
    return detect_octets(sample, path.name, encoding=encoding)


def detect_octets(sample: bytes, name: str, *, encoding: str = "") -> Form:
    """The form of a CSV file that begins with ``sample``. Raises :class:`ImportProblem` when it cannot be one."""
    if not sample.strip():
        raise ImportProblem(f"The file {name} is empty.")
    encoding = encoding or _encoding(sample, name)
    text = _decoded(sample, encoding, name)
    if "\x00" in text:
        raise ImportProblem(f"{name} is not a CSV file. Save the table as “CSV (UTF-8)” and try again.")
    lines = list(islice(dropwhile(_is_preamble, StringIO(text, newline="")), _SAMPLE_LINES))
    if not lines:
        raise ImportProblem(f"The file {name} is empty.")
    delimiter = _delimiter(lines)
    columns = tuple(column.strip() for column in header(csv.reader(lines, delimiter=delimiter), delimiter))
    if any("@" in column for column in columns):
        raise ImportProblem(
            f"The first line of {name} already holds an address. It must name the columns, for example: "
            "E-mail,First name,Last name."
        )
    repeated = sorted({column for column in columns if column and columns.count(column) > 1})
    if repeated:
        raise ImportProblem(f"Two columns are called “{repeated[0]}”. Give each column a name of its own.")
    return Form(encoding, delimiter, columns)


def header(rows: Iterable[list[str]], delimiter: str) -> list[str]:
    """The first row that names columns; blank lines and the ``sep=;`` of spreadsheets before it are passed over."""
    return next((cells for cells in rows if not _is_preamble(delimiter.join(cells))), [])


def _is_preamble(line: str) -> bool:
    text = line.strip()
    return not text or (text.lower().startswith("sep=") and len(text) <= len("sep=;"))


def _encoding(sample: bytes, name: str) -> str:
    for mark, encoding in _MARKS.items():
        if sample.startswith(mark):
            return encoding
    if b"\x00" in sample:
        raise ImportProblem(f"{name} is not a CSV file. Save the table as “CSV (UTF-8)” and try again.")
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(sample) - 4:  # not a character that the sample's end cuts in two
            return likely_encoding(sample)
    return "utf-8"


def likely_encoding(octets: bytes) -> str:
    """The best guess for text that is not UTF-8."""
    best = from_bytes(octets).best() if _has_much_to_judge_by(octets) else None
    return best.encoding if best else "cp1252"


def _has_much_to_judge_by(sample: bytes) -> bool:
    """A few accented letters fit a dozen encodings; then the one that Western spreadsheets write is the best guess."""
    return sum(octet > 127 for octet in sample) >= 40


def _decoded(sample: bytes, encoding: str, name: str) -> str:
    try:
        return sample.decode(encoding, errors="ignore")
    except (LookupError, UnicodeError):
        raise ImportProblem(f"There is no encoding called “{encoding}”. Try utf-8 or cp1252.") from None


def _delimiter(lines: list[str]) -> str:
    """The candidate that cuts most of the first lines into as many columns as the header; a comma in case of doubt."""

    def score(delimiter: str) -> tuple[int, int]:
        widths = [len(cells) for cells in csv.reader(lines, delimiter=delimiter)]
        return (widths.count(widths[0]) if widths[0] > 1 else 0, widths[0])

    return max(DELIMITERS, key=score)
