"""Export or erase everything that is held about one person."""

import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from campaign.lib import command
from deliveries.actions.personal_data import ask_for_erasure, carry_out, export_file, person_at
from recipients.addresses import AddressError


class Command(command.Command):
    """``privacy export ADDRESS`` and ``privacy erase ADDRESS``."""

    help = "Export everything that is held about one person as a ZIP file, or erase it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do, and for whom."""
        parser.add_argument("act", choices=["export", "erase"])
        parser.add_argument("address", help="E-mail address of the person.")
        parser.add_argument("--output", type=Path, help="File to write; without it the address with .zip.")
        parser.add_argument("--yes", action="store_true", help="Erase without asking.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it and say what was done."""
        try:
            person = person_at(options["address"])
        except AddressError as error:
            raise CommandError(str(error)) from error
        if options["act"] == "export":
            output = options["output"] or Path(f"{person.key.replace('/', '_')}.zip")
            try:
                with output.open("wb") as file, export_file(person) as archive:
                    shutil.copyfileobj(archive, file)
            except OSError as error:
                raise CommandError(f"{output} cannot be written: {error.strerror or error}.") from error
            self.stdout.write(f"Written: {output}")
            return
        if not options["yes"] and not _agreed(f"Erase everything about {person.address}? Write yes: "):
            raise CommandError("Nothing was erased. Where nobody can answer, --yes does not ask.")
        erasure = carry_out(ask_for_erasure(person).pk)
        if erasure is None:
            raise CommandError("A worker is erasing this person's data already.")
        for words, count in sorted(erasure.erased.items()):
            self.stdout.write(f"{count:>8,} {words}")
        self.stdout.write(f"Erased. Where the address stood, there is {erasure.pseudonym} now.")


def _agreed(question: str) -> bool:
    try:
        return input(question).strip() == "yes"
    except EOFError:
        return False
