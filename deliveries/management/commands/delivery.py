"""``manage.py delivery create|analyse|proof|confirm|cancel|pause|resume|stop|status|list``: the way of a delivery
without a browser. Each prints one JSON object."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from django.contrib.auth.models import User

from campaign.lib import command
from campaign.lib.command import WRONG_CALL
from deliveries.actions.base import ActionRefused, MoveRefused
from deliveries.actions.target_by_name import NoSuchName
from deliveries.management.script import create, look, move, prove
from deliveries.management.script.arguments import add_delivery, add_person, add_wait
from deliveries.management.script.base import REFUSED, Ended, Options, WrongCall, delivery_of, person_called
from deliveries.models import Delivery
from deliveries.pages.summary import summary_of


@dataclass(frozen=True, slots=True)
class Act:
    """A sub-command: what it does, in words and in deed, and the arguments it takes."""

    name: str
    words: str
    run: Callable[[Options, User | None], dict[str, Any]]
    """Does it, and says what came of it."""
    arguments: tuple[Callable[[ArgumentParser], None], ...] = (add_delivery,)


def _on_one(do: Callable[[Options, User | None], Delivery]) -> Callable[[Options, User | None], dict[str, Any]]:
    """The act ``do``, answered by the delivery as it stands afterwards."""
    return lambda options, by: summary_of(delivery_of(do(options, by).pk))


ACTS: Final = (
    Act("create", "make a delivery from a template", _on_one(create.run), (create.arguments,)),
    Act(
        "analyse",
        "compute target, checks and messages; nothing leaves",
        _on_one(prove.analyse),
        (add_delivery, add_wait),
    ),
    Act(
        "proof",
        "send the delivery as it is now to testers",
        _on_one(prove.proof),
        (add_delivery, prove.proof_arguments),
    ),
    Act(
        "confirm",
        "start an analysed delivery, at once or at its contact date",
        _on_one(move.confirm),
        (add_delivery, move.confirm_arguments),
    ),
    *(Act(name, words, _on_one(move.one_word)) for name, (_, words) in move.ONE_WORD.items()),
    Act("status", "say where the delivery stands", _on_one(look.status)),
    Act("list", "list deliveries, the newest first", look.listed, (look.list_arguments,)),
)


class _Parser(command.Parser):
    """Says what is wrong with an argument as JSON, too."""

    def error(self, message: str) -> NoReturn:
        """Print it and end with :data:`WRONG_CALL`."""
        _print({"error": self.sentence(message)})
        sys.exit(WRONG_CALL)


class Command(command.Command):
    """One act."""

    help = (
        "Take a delivery from its template to its end without a browser. Prints one JSON object: the delivery as it "
        'stands, the deliveries asked for, or {"error": a sentence}. '
        "Exit codes: 0 done, 1 refused or failed, 2 wrong call, 3 --wait is over."
    )

    parser_class = _Parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        """A sub-command for each act."""
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT", parser_class=_Parser)
        for act in ACTS:
            sub: ArgumentParser = acts.add_parser(act.name, help=act.words, description=f"{act.words.capitalize()}.")
            for add in (*act.arguments, add_person):
                add(sub)
            sub.set_defaults(run=act.run)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it and print what came of it."""
        try:
            _print(options["run"](options, person_called(options["as_user"])), self.stdout.write)
        except (WrongCall, NoSuchName) as wrong:
            self._end(str(wrong), WRONG_CALL)
        except (ActionRefused, MoveRefused) as refused:
            self._end(str(refused), REFUSED)
        except Ended as ended:
            self._end(str(ended), ended.code, ended.delivery)

    def _end(self, sentence: str, code: int, delivery: Delivery | None = None) -> NoReturn:
        known = summary_of(delivery) if delivery is not None else {}
        _print({"error": sentence, **known}, self.stdout.write)
        sys.exit(code)


def _print(value: dict[str, Any], write: Callable[[str], Any] = print) -> None:
    write(json.dumps(value, ensure_ascii=False, indent=2))
