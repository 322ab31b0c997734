"""What the home page tells people about the installation. Each app registers what it has to say."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should look at: a sentence, and the address of the page where (none: empty)."""

    sentence: str
    link: str = ""


Teller = Callable[[Any], Iterable[Notice]]
"""From the user who looks to what that user may know; it asks the database little."""

_tellers: dict[str, Teller] = {}


def register(name: str, teller: Teller) -> None:
    """Have ``teller`` asked for each visit of the home page. Registering again under its name replaces it."""
    _tellers[name] = teller


def notices_for(user: Any) -> list[Notice]:
    """Everything that there is to say to this user."""
    return [notice for teller in _tellers.values() for notice in teller(user)]
