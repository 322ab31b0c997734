"""``manage.py qualify PATH…``: what each mail in files and directories means, one line for each mail."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bounces.parsing import MAX_OCTETS, Action, Kind, Report, parse
from bounces.qualification import judge
from deliveries.sending.verdict import Verdict

_NOT_FAILED = {Action.DELIVERED, Action.RELAYED, Action.EXPANDED}


class Command(BaseCommand):
    """Read mails that came back and print whom they concern, and the type and reason of the failure."""

    help = (
        "Read mails that came back (files, or directories with all that is in them) and print for each its kind "
        "and its recipients with type and reason of the failure. Needs no database."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to read, and how to print it."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a mail, or a directory of mails")
        parser.add_argument("--json", action="store_true", help="one JSON object per line instead of words")
        parser.add_argument("--dry-run", action="store_true", help="only print; no address is touched")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each mail, in the order of the names."""
        show = _json if options["json"] else _words
        for file, name in _files(options["paths"]):
            try:
                with file.open("rb") as stream:
                    report = parse(stream.read(MAX_OCTETS))
            except OSError as error:
                raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
            self.stdout.write(show(name, report))


def _files(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """Each file with its name: below the directory that was given, or the last part of its own path."""
    for path in paths:
        if path.is_dir():
            yield from ((file, file.relative_to(path).as_posix()) for file in sorted(path.rglob("*")) if file.is_file())
        elif path.exists():
            yield path, path.name
        else:
            raise CommandError(f"There is no file or directory {path}.")


def _recipients(report: Report) -> list[tuple[str, Verdict, str]]:
    if report.kind is Kind.OTHER:
        return []
    return [
        (finding.address, verdict, finding.diagnostic)
        for finding, verdict in judge(report)
        if finding.action not in _NOT_FAILED
    ]


def _json(name: str, report: Report) -> str:
    recipients = [
        {
            "address": address,
            "type": verdict.type.value,
            "reason": verdict.reason.label,
            "rule": verdict.rule,
            "text": text,
        }
        for address, verdict, text in _recipients(report)
    ]
    return json.dumps({"file": name, "kind": report.kind.value, "recipients": recipients}, ensure_ascii=False)


def _words(name: str, report: Report) -> str:
    lines = [f"{name}: {report.kind.value}"]
    for address, verdict, text in _recipients(report):
        lines.append(
            f"  {address}: {verdict.type.value}, {verdict.reason.label} ({verdict.rule or 'no rule'}): {text[:200]}"
        )
    return "\n".join(lines)
