"""How servers say it: the tables of ``dialects.toml``. PURE data, read once."""

import tomllib
from pathlib import Path
from typing import Final

_TABLES: Final[dict[str, str]] = tomllib.loads(Path(__file__).with_name("dialects.toml").read_text(encoding="utf-8"))


def table(name: str) -> list[str]:
    """The lines of one table. Raises :class:`KeyError` for a name that is not there."""
    return [line for line in _TABLES[name].splitlines() if line]


def joined(name: str) -> str:
    """The lines of one table as alternatives of one expression."""
    return "|".join(f"(?:{line})" for line in table(name))
