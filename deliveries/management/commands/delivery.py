"""``manage.py delivery create|analyse|proof|confirm|cancel|pause|resume|stop|status``: the way of a delivery without a
browser. Each prints one JSON object."""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NoReturn
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import transaction

from campaign.lib import command
from campaign.lib.command import WRONG_CALL
from deliveries.actions.base import ActionRefused, MoveRefused
from deliveries.actions.confirm import confirm, warnings_of
from deliveries.actions.create import create
from deliveries.actions.send_proof import Proof, ProofFormats, send_proof
from deliveries.actions.target_by_name import Names, NoSuchName, target_by_name
from deliveries.actions.target_file import choose_file
from deliveries.admin.schedule import moment
from deliveries.models import ApprovalMode, Delivery, DeliveryTemplate, SeedGroup
from deliveries.pages.acts import ACTS
from deliveries.pages.summary import name_of, summary_of
from deliveries.rights import rights_of
from deliveries.states import DeliveryState
from recipients.models import ImportState, RecipientList

DONE: Final = 0
REFUSED: Final = 1
"""The delivery is in the wrong state, a warning is not acknowledged, the analysis found errors, somebody may not."""
NOT_YET: Final = 3
"""What was waited for takes longer."""

LOOK_EVERY_SECONDS: Final = 0.5

ONE_WORD: Final = {
    "cancel": ("cancel_start", "take a confirmation back before anything has left"),
    "pause": ("pause", "hold a running delivery"),
    "resume": ("resume", "let a paused delivery go on"),
    "stop": ("stop", "end a delivery for good and cancel what was not sent"),
}
"""Sub-commands that take a delivery and nothing else: the act behind each, and what it does."""

ENDED: Final = frozenset(
    {DeliveryState.FINISHED, DeliveryState.STOPPED, DeliveryState.PAUSED, DeliveryState.ANALYSIS_FAILED}
)


class WrongCall(Exception):
    """An argument cannot be used. ``str()`` is a sentence that says why."""


class _Parser(command.Parser):
    """Says what is wrong with an argument as JSON, too."""

    def error(self, message: str) -> NoReturn:
        """Print it and end with :data:`WRONG_CALL`."""
        _print({"error": self.sentence(message)})
        sys.exit(WRONG_CALL)


class Command(command.Command):
    """One act on one delivery."""

    help = (
        "Take a delivery from its template to its end without a browser. Prints one JSON object: the delivery as it "
        'stands, or {"error": a sentence}. Exit codes: 0 done, 1 refused or failed, 2 wrong call, 3 --wait is over.'
    )

    parser_class = _Parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        """A sub-command for each act."""
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT", parser_class=_Parser)
        _add_create(_act(acts, "create", "make a delivery from a template", _create, needs_delivery=False))
        _add_wait(_act(acts, "analyse", "compute target, checks and messages; nothing leaves", _analyse))
        _add_proof(_act(acts, "proof", "send the delivery as it is now to testers", _proof))
        _add_confirm(_act(acts, "confirm", "start an analysed delivery, at once or at its contact date", _confirm))
        for name, (_, words) in ONE_WORD.items():
            _act(acts, name, words, _one_word)
        _act(acts, "status", "say where the delivery stands", _status)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it and print what came of it."""
        try:
            delivery = options["run"](options, _person(options["as_user"]))
            _print(summary_of(_delivery(delivery.pk)), self.stdout.write)
        except (WrongCall, NoSuchName) as wrong:
            self._end(str(wrong), WRONG_CALL)
        except (ActionRefused, MoveRefused) as refused:
            self._end(str(refused), REFUSED)
        except _Ended as ended:
            self._end(str(ended), ended.code, ended.delivery)

    def _end(self, sentence: str, code: int, delivery: Delivery | None = None) -> NoReturn:
        known = summary_of(delivery) if delivery is not None else {}
        _print({"error": sentence, **known}, self.stdout.write)
        sys.exit(code)


class _Ended(Exception):
    """Not what was hoped for, and the delivery says why."""

    def __init__(self, sentence: str, code: int, delivery: Delivery) -> None:
        super().__init__(sentence)
        self.code = code
        self.delivery = delivery


def _act(
    acts: Any,
    name: str,
    words: str,
    run: Callable[[dict[str, Any], User | None], Delivery],
    *,
    needs_delivery: bool = True,
) -> ArgumentParser:
    parser: ArgumentParser = acts.add_parser(name, help=words, description=f"{words.capitalize()}.")
    if needs_delivery:
        parser.add_argument("delivery", type=int, metavar="DELIVERY", help="number of the delivery")
    parser.add_argument(
        "--as",
        dest="as_user",
        default="",
        metavar="USER",
        help="do it as this person: by their rights, and under their name in the audit trail; else as the system",
    )
    parser.set_defaults(run=run)
    return parser


def _add_create(parser: ArgumentParser) -> None:
    parser.add_argument("--template", required=True, metavar="NAME", help="the template to start from")
    parser.add_argument("--label", required=True, help="what people here call the delivery")
    parser.add_argument("--code", help="delivery code")
    parser.add_argument("--subject", help="instead of the template's")
    parser.add_argument("--html", type=Path, metavar="FILE", help="HTML content, instead of the template's")
    parser.add_argument("--text", type=Path, metavar="FILE", help="text content, instead of the template's")
    parser.add_argument("--approval", choices=ApprovalMode.values, help="approval mode, instead of the template's")
    for name, words in (
        ("list", "everybody on this list gets it"),
        ("query", "everybody whom this saved query finds gets it"),
        ("exclude-list", "nobody on this list gets it"),
        ("exclude-query", "nobody whom this saved query finds gets it"),
        ("seeds", "group of seed addresses that get it, too"),
    ):
        parser.add_argument(f"--{name}", action="append", default=[], metavar="NAME", help=f"{words}; may be repeated")
    parser.add_argument(
        "--file", type=Path, metavar="FILE.csv", help="everybody in this file gets it; a worker reads it"
    )
    parser.add_argument("--contact", default="", metavar="TIME", help="contact date, such as 2026-12-01T09:00")
    parser.add_argument("--zone", default=settings.TIME_ZONE, help="time zone of the contact date")
    parser.add_argument(
        "--by-recipient", action="store_true", help="the contact date counts in each recipient's own time zone"
    )
    _add_wait(parser)


def _add_wait(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--wait",
        type=float,
        default=0,
        metavar="SECONDS",
        help="come back when it is over, or after this time (code 3)",
    )


def _add_proof(parser: ArgumentParser) -> None:
    parser.add_argument("--to", action="append", default=[], metavar="ADDRESS", help="test address; may be repeated")
    parser.add_argument("--seeds", action="append", default=[], metavar="NAME", help="group of seed addresses")
    parser.add_argument(
        "--list", action="append", default=[], metavar="NAME", help="everybody on it, with their own data"
    )
    parser.add_argument(
        "--data-of",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="recipient whose data it shows; else at random",
    )
    parser.add_argument("--formats", choices=ProofFormats.values, default=ProofFormats.AS_SENT.value)
    parser.add_argument("--archive", action="store_true", help="archive the proof")
    _add_wait(parser)


def _add_confirm(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--acknowledge",
        action="append",
        default=[],
        metavar="NAME",
        help="name of a warning of the analysis that is known and meant; may be repeated. Without all of them: refused",
    )
    parser.add_argument(
        "--seen",
        default="",
        metavar="UPDATED_AT",
        help="refuse when the delivery was changed after the status that says this updated_at",
    )


def _create(options: dict[str, Any], by: User | None) -> Delivery:
    if by is not None and not by.has_perm("deliveries.add_delivery"):
        raise ActionRefused(f"{by} may not create deliveries.")
    by_itself = options["approval"] not in {None, ApprovalMode.MANUAL}
    if by_itself and by is not None and not by.has_perm("deliveries.start_delivery"):
        raise ActionRefused(f"{by} may not start deliveries, and so let none start by itself.")
    template = _one(DeliveryTemplate, "template", label=options["template"])
    names = Names(
        target_lists=options["list"],
        target_queries=options["query"],
        excluded_lists=options["exclude_list"],
        excluded_queries=options["exclude_query"],
        seed_groups=options["seeds"],
    )
    with transaction.atomic():
        made = create(template, label=options["label"], values=_values(options), by=by)
        target_by_name(made, names, by=by)
        if options["file"] is not None:
            with _opened(options["file"]) as stream:
                choose_file(made, File(stream, name=options["file"].name), by=by)
    return _wait(made, options["wait"], _file_is_read)


def _file_is_read(delivery: Delivery) -> bool:
    return delivery.target_file is None or delivery.target_file.state in {ImportState.DONE, ImportState.FAILED}


def _values(options: dict[str, Any]) -> dict[str, Any]:
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


def _analyse(options: dict[str, Any], by: User | None) -> Delivery:
    delivery = _allowed(options, by, "analyse")
    ACTS["analyse"].action(delivery, by=by)
    delivery = _wait(delivery, options["wait"], lambda one: one.current_state is not DeliveryState.ANALYSING)
    if delivery.current_state is DeliveryState.ANALYSIS_FAILED:
        raise _Ended(f"The analysis failed: {delivery.state_note}", REFUSED, delivery)
    return delivery


def _proof(options: dict[str, Any], by: User | None) -> Delivery:
    delivery = _allowed(options, by, "analyse")
    proof = Proof(
        addresses=options["to"],
        data_of=options["data_of"],
        lists=[_one(RecipientList, "list", name=name).pk for name in options["list"]],
        seed_groups=[_one(SeedGroup, "group of seed addresses", name=name).pk for name in options["seeds"]],
        formats=ProofFormats(options["formats"]),
        archive=options["archive"],
    )
    made = _wait(send_proof(delivery, proof, by=by), options["wait"], lambda one: one.current_state in ENDED)
    if made.current_state is DeliveryState.ANALYSIS_FAILED:
        raise _Ended(f"The proof was not sent: {made.state_note}", REFUSED, made)
    return made


def _confirm(options: dict[str, Any], by: User | None) -> Delivery:
    delivery = _allowed(options, by, "confirm")
    known = set(options["acknowledge"])
    warnings = warnings_of(delivery)
    unread = sorted({name_of(line.check_key) for line in warnings} - known)
    if unread and delivery.current_state is DeliveryState.READY:
        flags = " ".join(f"--acknowledge {name}" for name in unread)
        raise _Ended(f"Not confirmed: the analysis warns. Read “warnings”; to go on, add: {flags}", REFUSED, delivery)
    confirm(delivery, acknowledged=[line.pk for line in warnings], seen=_seen(options["seen"]), by=by)
    return delivery


def _one_word(options: dict[str, Any], by: User | None) -> Delivery:
    name, _ = ONE_WORD[options["act"]]
    delivery = _allowed(options, by, name)
    ACTS[name].action(delivery, by=by)
    return delivery


def _status(options: dict[str, Any], by: User | None) -> Delivery:
    delivery = _delivery(options["delivery"])
    if by is not None and not rights_of(by, delivery).view:
        raise ActionRefused(f"{by} may not look at deliveries.")
    return delivery


def _allowed(options: dict[str, Any], by: User | None, act: str) -> Delivery:
    """The delivery, when the person has the right that the act takes."""
    delivery = _delivery(options["delivery"])
    if by is not None and not ACTS[act].allowed(rights_of(by, delivery)):
        raise ActionRefused(f"{by} may not do this with “{delivery.label}”.")
    return delivery


def _wait(delivery: Delivery, seconds: float, is_over: Callable[[Delivery], bool]) -> Delivery:
    """The delivery as it is at once without ``seconds``; else when it is over."""
    until = time.monotonic() + seconds
    delivery = _delivery(delivery.pk)
    while seconds and not is_over(delivery):
        if time.monotonic() > until:
            raise _Ended(f"Not over after {seconds:g} s; it goes on. Ask again with: status.", NOT_YET, delivery)
        time.sleep(LOOK_EVERY_SECONDS)
        delivery = _delivery(delivery.pk)
    return delivery


def _delivery(pk: int) -> Delivery:
    found = Delivery.objects.select_related("template", "target_file", "proof_of").filter(pk=pk).first()
    if found is None:
        raise WrongCall(f"There is no delivery {pk}.")
    return found


def _person(name: str) -> User | None:
    if not name:
        return None
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None:
        raise WrongCall(f"There is nobody called “{name}” who may log in.")
    return found


def _one(model: Any, words: str, **known: str) -> Any:
    found = model.objects.filter(**known).first()
    if found is None:
        raise WrongCall(f"There is no {words} “{next(iter(known.values()))}”.")
    return found


def _seen(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongCall("--seen takes the updated_at of a status.") from error
    if at.tzinfo is None:
        raise WrongCall("--seen takes the updated_at of a status, with its time zone.")
    return at


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


def _print(value: dict[str, Any], write: Callable[[str], Any] = print) -> None:
    write(json.dumps(value, ensure_ascii=False, indent=2))
