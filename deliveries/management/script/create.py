"""``delivery create``: a delivery from a template, its content, target and time from the command line."""

from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import transaction

from deliveries.actions import create as action
from deliveries.actions.base import ActionRefused
from deliveries.actions.target_by_name import Names, target_by_name
from deliveries.actions.target_file import choose_file
from deliveries.admin.schedule import moment
from deliveries.management.script.arguments import add_names, add_wait
from deliveries.management.script.base import Options, WrongCall, one, wait
from deliveries.models import ApprovalMode, Delivery, DeliveryTemplate
from recipients.models import ImportState


def arguments(parser: ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("--template", required=True, metavar="NAME", help="the template to start from")
    parser.add_argument("--label", required=True, help="what people here call the delivery")
    parser.add_argument("--code", help="delivery code")
    parser.add_argument("--subject", help="instead of the template's")
    parser.add_argument("--html", type=Path, metavar="FILE", help="HTML content, instead of the template's")
    parser.add_argument("--text", type=Path, metavar="FILE", help="text content, instead of the template's")
    parser.add_argument("--approval", choices=ApprovalMode.values, help="approval mode, instead of the template's")
    add_names(parser, "list", "everybody on this list gets it")
    add_names(parser, "query", "everybody whom this saved query finds gets it")
    add_names(parser, "exclude-list", "nobody on this list gets it")
    add_names(parser, "exclude-query", "nobody whom this saved query finds gets it")
    add_names(parser, "seeds", "group of seed addresses that get it, too")
    parser.add_argument(
        "--file", type=Path, metavar="FILE.csv", help="everybody in this file gets it; a worker reads it"
    )
    parser.add_argument("--contact", default="", metavar="TIME", help="contact date, such as 2026-12-01T09:00")
    parser.add_argument("--zone", default=settings.TIME_ZONE, help="time zone of the contact date")
    parser.add_argument(
        "--by-recipient", action="store_true", help="the contact date counts in each recipient's own time zone"
    )
    add_wait(parser)


def run(options: Options, by: User | None) -> Delivery:
    """The new delivery, its file read where that was waited for. Raises WrongCall, Ended, NoSuchName, ActionRefused."""
    _require_rights(options, by)
    template = one(DeliveryTemplate, "template", label=options["template"])
    names = Names(
        target_lists=options["list"],
        target_queries=options["query"],
        excluded_lists=options["exclude_list"],
        excluded_queries=options["exclude_query"],
        seed_groups=options["seeds"],
    )
    with transaction.atomic():
        made = action.create(template, label=options["label"], values=_values(options), by=by)
        target_by_name(made, names, by=by)
        if options["file"] is not None:
            with _opened(options["file"]) as stream:
                choose_file(made, File(stream, name=options["file"].name), by=by)
    return wait(made, options["wait"], _file_is_read)


def _require_rights(options: Options, by: User | None) -> None:
    if by is None:
        return
    if not by.has_perm("deliveries.add_delivery"):
        raise ActionRefused(f"{by} may not create deliveries.")
    starts_by_itself = options["approval"] not in {None, ApprovalMode.MANUAL}
    if starts_by_itself and not by.has_perm("deliveries.start_delivery"):
        raise ActionRefused(f"{by} may not start deliveries, and so let none start by itself.")


def _values(options: Options) -> dict[str, Any]:
    """What stands in place of the template's values."""
    given = {"code": options["code"], "subject": options["subject"], "approval_mode": options["approval"]}
    for part in ("html", "text"):
        if options[part] is not None:
            with _opened(options[part]) as stream:
                given[part] = _decoded(stream.read(), options[part])
    if options["contact"]:
        given |= _contact(options["contact"], options["zone"])
        given["contact_by_recipient"] = options["by_recipient"]
    elif options["by_recipient"]:
        raise WrongCall("--by-recipient needs a --contact.")
    return {name: value for name, value in given.items() if value is not None}


def _contact(text: str, zone: str) -> dict[str, Any]:
    if zone not in available_timezones():
        raise WrongCall(f"There is no time zone “{zone}”. Write one such as Europe/Zurich.")
    try:
        local = datetime.fromisoformat(text)
        at = local if local.tzinfo else moment(local, zone)
    except ValueError as error:
        raise WrongCall(f"“{text}” is no time. Write one such as 2026-12-01T09:00.") from error
    except ValidationError as error:
        raise WrongCall(" ".join(error.messages)) from error
    return {"contact_at": at, "contact_zone": zone}


def _opened(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise WrongCall(f"{path} cannot be read: {error.strerror}.") from error


def _decoded(octets: bytes, path: Path) -> str:
    try:
        return octets.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise WrongCall(f"{path} is not in UTF-8.") from error


def _file_is_read(delivery: Delivery) -> bool:
    return delivery.target_file is None or delivery.target_file.state in {ImportState.DONE, ImportState.FAILED}
