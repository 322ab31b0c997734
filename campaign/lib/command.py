"""Management commands that say in a sentence what is wrong with a call, and how to mend it."""

import math
import re
from argparse import Action, ArgumentTypeError
from collections.abc import Callable
from typing import Any, Final, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser

WRONG_CALL: Final = 2
"""Exit code of a call whose arguments cannot be used."""

_SENTENCES: Final = (
    (r"the following arguments are required: (?P<names>.+)", "Missing: {names}."),
    (r"argument (?P<name>.+?): invalid int value: (?P<value>.+)", "{name} is a whole number, not “{value}”."),
    (r"argument (?P<name>.+?): (?P<words>is a (?:number of seconds|whole number from .+), .+)", "{name} {words}."),
    (
        r"argument (?P<name>.+?): invalid choice: (?P<value>.+) \(choose from (?P<choices>.+)\)",
        "{name} cannot be “{value}”. Choose one of: {choices}.",
    ),
    (r"argument (?P<name>.+?): expected (?:at least )?one argument", "{name} needs a value."),
    (r"argument (?P<name>.+?): not allowed with argument (?P<other>.+)", "{name} and {other} cannot go together."),
    (r"unrecognized arguments: (?P<values>.+)", "“{values}” means nothing here. Leave it out."),
)
"""What argparse says, in its English, and what people read instead."""


def seconds(text: str) -> float:
    """The type of an argument that counts seconds: none, some, but not fewer than none and not for ever."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ArgumentTypeError(f"is a number of seconds, not “{text[:100]}”")
    return value


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """The type of an argument that is a whole number from ``least`` to ``most``."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise ArgumentTypeError(f"is a whole number from {least} to {most}, not “{text[:100]}”")
        return value

    return read


def _said(message: str) -> str:
    for pattern, words in _SENTENCES:
        if match := re.fullmatch(pattern, message, re.DOTALL):
            found = {name: value[:100] for name, value in match.groupdict().items()}
            if "value" in found:
                found["value"] = found["value"][1:].removesuffix(found["value"][0])  # quotes of Python
            if "choices" in found:
                found["choices"] = found["choices"].replace("'", "")
            return words.format(**found)
    return f"{message[:1].upper()}{message[1:]}."


def _placeholder(action: Action) -> str:
    name = action.metavar if isinstance(action.metavar, str) else action.dest
    value = "|".join(action.choices) if action.choices and not action.metavar else name
    return f"{action.option_strings[-1]} {value}" if action.option_strings else value


class Parser(CommandParser):
    """Answers a wrong call with one sentence."""

    exit_code = WRONG_CALL

    def error(self, message: str) -> NoReturn:
        """Print it and end with :attr:`exit_code`. Raises ``CommandError`` instead when another program called."""
        if self.called_from_command_line:
            self.exit(self.exit_code, f"{self.sentence(message)}\n")
        raise CommandError(self.sentence(message))

    def sentence(self, message: str) -> str:
        """What is wrong with a call, what must stand in it, and where all its options are told."""
        needed = " ".join(_placeholder(action) for action in self._actions if action.required)
        call = f" Write: ./{self.prog} {needed}." if needed else ""
        return f"{_said(message)}{call} All options: ./{self.prog} --help"


class Command(BaseCommand):
    """A command whose wrong calls are answered by :class:`Parser`."""

    parser_class: type[Parser] = Parser

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Django's parser with our words; it calls the program as people do here, whoever called it."""
        parser = super().create_parser("manage.py", subcommand, **kwargs)
        parser.__class__ = self.parser_class  # Django offers no other way to choose it
        return parser
