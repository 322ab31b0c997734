#!/usr/bin/env python
"""Django's command line for this project."""

import os
import shlex
import sys
from pathlib import Path


def main() -> None:
    """Run the command named by the arguments; missing packages and a database that cannot be reached or has no tables
    are one sentence and exit code 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campaign.settings")
    try:
        from django.core.management import execute_from_command_line
        from django.db.utils import OperationalError, ProgrammingError

        from campaign.outage import sentence, unprepared
    except ModuleNotFoundError as missing:
        sys.exit(_without_packages(missing))

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        outage = sentence(error)
        if outage is None:
            raise
        sys.exit(outage)
    except ProgrammingError as error:
        lacking = unprepared(error)
        if lacking is None:
            raise
        sys.exit(lacking)


def _without_packages(missing: ModuleNotFoundError) -> str:
    """What to do where the first ``python`` of the PATH is not the one that has the project's packages."""
    said = f"The project's packages are not installed for {sys.executable} ({missing.name} is missing)."
    own = Path(__file__).parent / ".venv/bin/python"
    if own.exists():
        return f"{said} They are in .venv: write {shlex.join([os.path.relpath(own), *sys.argv])}"
    return f"{said} `make demo` installs them in .venv; or: pip install --require-hashes -r requirements/run.txt"


if __name__ == "__main__":
    main()
