"""``manage.py import_recipients FILE.csv``: recipients from a CSV file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from campaign.lib import command
from recipients.imports.detect import ImportProblem
from recipients.imports.run import import_file
from recipients.models import Existing


class Command(command.Command):
    """Import recipients from a CSV file: all good lines at once, or none when the file is broken."""

    help = (
        "Import recipients from a CSV file. Rejected lines are reported with number and reason; of lines with the same "
        "address the last one counts and the others are reported. Running it again is harmless."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and what to do with it."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--list", default="", metavar="NAME", help="put everybody on this list (made if needed)")
        parser.add_argument(
            "--existing",
            choices=list(Existing),
            default=Existing.UPDATE,
            help="people known already: an update never erases with an empty cell",
        )
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="COLUMN=FIELD",
            help="field of a column, for a new custom attribute also name:kind "
            "(text, number, date, datetime, boolean); empty: left out",
        )
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="where rejected lines are written")
        parser.add_argument("--encoding", default="", help="of the file; detected unless given")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import and say what came of it."""
        path = Path(options["file"])
        rejects = Path(options["rejects"]) if options["rejects"] else path.with_suffix(".rejects.csv")
        columns = (TextColumn("Importing"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        try:
            mapping = dict(_pair(entry) for entry in options["map"])
            with Progress(*columns, console=Console(stderr=True)) as bar:
                task = bar.add_task("import", total=path.stat().st_size if path.is_file() else None)
                counts = import_file(
                    path,
                    mapping=mapping,
                    existing=Existing(options["existing"]),
                    list_name=options["list"],
                    rejects=rejects,
                    encoding=options["encoding"],
                    progress=lambda octets: bar.update(task, completed=octets),
                )
        except ImportProblem as problem:
            raise CommandError(str(problem)) from problem
        known = "updated" if options["existing"] == Existing.UPDATE else "known already and left as they are"
        self.stdout.write(f"{counts.created:,} created, {counts.existing:,} {known}, {counts.rejected:,} rejected.")
        if counts.rejected:
            self.stdout.write(f"The rejected lines with their reasons are in {rejects}.")
        else:
            rejects.unlink(missing_ok=True)


def _pair(entry: str) -> tuple[str, str]:
    column, equals, field = entry.partition("=")
    if not equals:
        raise ImportProblem(f"--map needs COLUMN=FIELD, not “{entry}”.")
    return column, field
