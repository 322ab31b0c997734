"""``manage.py qualify PATH…``: what each mail in files and directories means, and what follows from it."""

import json
import logging
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import InterfaceError, OperationalError

from bounces.parsing import Action, Kind, Report, parse
from bounces.process import Processed, of_mail, process_each
from bounces.qualification import judge
from bounces.sources.files import STANDARD_INPUT, Exit, FileUnreadable, Found, mails
from campaign.lib import command
from campaign.outage import sentence
from deliveries.sending.verdict import Verdict

logger = logging.getLogger(__name__)

_NOT_FAILED = {Action.DELIVERED, Action.RELAYED, Action.EXPANDED}


class _Parser(command.Parser):
    exit_code = Exit.TEMPORARY  # a mail server whose pipe is written wrong shall keep its mails, not return them


class Command(command.Command):
    """Read mails that came back, do what follows from them, and print it."""

    help = (
        "Read mails that came back (files, directories with all that is in them, or - for standard input), do what "
        "follows from them, and print for each its kind and its recipients with type and reason of the failure. Exit "
        "codes are those of sysexits.h: 75 when the mail is to be brought again, 67 when a mail at standard input is "
        "about no message of ours. With --dry-run nothing follows, and no database is needed."
    )
    requires_system_checks = []
    parser_class = _Parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to read, and how to print it."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a mail, a directory of mails, or -")
        parser.add_argument("--json", action="store_true", help="one JSON object per line instead of words")
        parser.add_argument("--dry-run", action="store_true", help="only print; no address is touched")
        parser.add_argument(
            "--envelope-to", default="", metavar="ADDRESS", help="the address that the mail came to, where it is known"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each mail, in the order of the names."""
        show = _json if options["json"] else _words
        processed: Processed | None = None
        try:
            for mail, processed in _done(mails(options["paths"]), **options):
                self.stdout.write(show(mail, parse(mail.raw), processed))
        except FileUnreadable as error:
            raise CommandError(str(error), returncode=Exit.NO_INPUT) from error
        except (OperationalError, InterfaceError) as error:
            known = sentence(error) if isinstance(error, OperationalError) else None
            raise CommandError(known or f"The database is away: {error}", returncode=Exit.TEMPORARY) from error
        except Exception as error:
            if options["paths"] != [STANDARD_INPUT]:
                raise
            # Whatever went wrong here: with any other code the mail server would return the mail and forget it.
            logger.exception("A mail at standard input could not be processed.")
            raise CommandError("Something went wrong here.", returncode=Exit.TEMPORARY) from error
        if processed and not processed.is_taken and options["paths"] == [STANDARD_INPUT]:
            raise CommandError("The mail is about no message of ours.", returncode=Exit.NO_USER)


def _done(
    found: Iterable[Found], *, dry_run: bool, envelope_to: str, **_: Any
) -> Iterator[tuple[Found, Processed | None]]:
    if dry_run:
        return ((mail, None) for mail in found)
    return process_each((mail, of_mail(mail.raw, source=_source(mail), envelope_to=envelope_to)) for mail in found)


def _source(mail: Found) -> str:
    return "Standard input" if mail.name == "-" else f"File {mail.name}"


def _recipients(report: Report) -> list[tuple[str, Verdict, str]]:
    if report.kind is Kind.OTHER:
        return []
    return [
        (finding.address, verdict, finding.diagnostic)
        for finding, verdict in judge(report)
        if finding.action not in _NOT_FAILED
    ]


def _json(mail: Found, report: Report, processed: Processed | None) -> str:
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
    line: dict[str, Any] = {"file": mail.name, "kind": report.kind.value, "recipients": recipients}
    if processed is not None:
        line |= {"outcome": processed.outcome.value, "done": processed.sentence}
    return json.dumps(line, ensure_ascii=False)


def _words(mail: Found, report: Report, processed: Processed | None) -> str:
    done = f" ({processed.outcome}): {processed.sentence}" if processed is not None else ""
    lines = [f"{mail.name}: {report.kind.value}{done}"]
    for address, verdict, text in _recipients(report):
        lines.append(
            f"  {address}: {verdict.type.value}, {verdict.reason.label} ({verdict.rule or 'no rule'}): {text[:200]}"
        )
    return "\n".join(lines)
