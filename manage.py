#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

from campaign.outage import sentence


def main() -> None:
    """Run the command named by the arguments; a database that cannot be reached is one sentence and exit code 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campaign.settings")
    from django.core.management import execute_from_command_line
    from django.db.utils import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        outage = sentence(error)
        if outage is None:
            raise
        sys.exit(outage)


if __name__ == "__main__":
    main()
