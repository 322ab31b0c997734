"""The import of recipients alone: seconds and memory. ``python -m benchmarks.import_recipients [COUNT]``.

It works in a database of its own, which it makes and drops.
"""

import json
import os
import sys


def main() -> None:
    """Import COUNT people of seven columns and print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campaign.settings")
    import django

    django.setup()
    from django.test.utils import setup_databases, teardown_databases

    from benchmarks.million import measure_import

    databases = setup_databases(verbosity=0, interactive=False)
    try:
        print(json.dumps({"recipients": count, **measure_import(count)}, indent=2))
    finally:
        teardown_databases(databases, verbosity=0)


if __name__ == "__main__":
    main()
