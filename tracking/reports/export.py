"""Figures as CSV and Excel files, in which no cell is taken for a formula."""

import csv
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import xlsxwriter
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from campaign.lib.spreadsheet import harmless
from deliveries.models import Delivery
from deliveries.pages.access import delivery_page
from tracking.reports.report import wants_machines
from tracking.reports.tables import PERSONAL, TABLES, Cell, Table

MOST_ROWS = 1_048_575
"""Of an Excel sheet, its heading aside; further rows go to further sheets."""
MOST_CHARACTERS = 32_767
"""Of an Excel cell."""


@delivery_page
def export_file(request: HttpRequest, delivery: Delivery, what: str, form: str) -> HttpResponseBase:
    """One table of the report as a file. Those that name people take the right to view recipients as well."""
    if what not in TABLES or form not in _FORMS:
        raise Http404
    if what in PERSONAL and not request.user.has_perm("recipients.view_recipient"):
        raise PermissionDenied
    table = TABLES[what](delivery, machines=wants_machines(request))
    return _FORMS[form](table, f"{what}-{delivery.pk}.{form}")


class _Line:
    """What a CSV writer writes to: gives the line back."""

    def write(self, line: str) -> str:
        return line


def csv_lines(table: Table) -> Iterator[str]:
    """The file's lines, written while the rows are read; a byte order mark tells Excel that it is UTF-8."""
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(table.heading)
    for row in table.rows:
        yield writer.writerow([_written(cell) for cell in row])


def _written(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return harmless(cell)
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    return round(cell, 6) if isinstance(cell, float) else cell


def _csv_file(table: Table, name: str) -> HttpResponseBase:
    return StreamingHttpResponse(
        csv_lines(table),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _excel_file(table: Table, name: str) -> HttpResponseBase:
    """Written row by row to a file that is gone once it is sent: memory does not grow with the rows."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the response closes it
    book = xlsxwriter.Workbook(
        file,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    bold = book.add_format({"bold": True})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet, line = None, MOST_ROWS
    for row in table.rows:
        if sheet is None or line == MOST_ROWS:
            sheet, line = book.add_worksheet(), 0
            sheet.write_row(0, 0, table.heading, bold)
        line += 1
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(line, column, harmless(cell)[:MOST_CHARACTERS])
            elif isinstance(cell, datetime):
                sheet.write_datetime(line, column, cell.replace(tzinfo=None), moment)
            elif cell is not None:
                sheet.write_number(line, column, cell)
    if sheet is None:
        book.add_worksheet().write_row(0, 0, table.heading, bold)
    book.close()
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name)


_FORMS: Mapping[str, Callable[[Table, str], HttpResponseBase]] = {"csv": _csv_file, "xlsx": _excel_file}
