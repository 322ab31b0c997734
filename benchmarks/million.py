"""A million people: seconds and memory of the import and of the analysis. ``python -m benchmarks.million [COUNT]``.

It works in a database of its own, which it makes and drops.
"""

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recipients.models import RecipientList


def main() -> None:
    """Import COUNT recipients, analyse a delivery to them, print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "campaign.settings")
    import django

    django.setup()
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    databases = setup_databases(verbosity=0, interactive=False)
    try:
        figures = {"recipients": count, **measure_import(count), **measure_analysis()}
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sum(pg_total_relation_size(name)) FROM unnest(ARRAY['deliveries_message', "
                "'deliveries_messagevalues', 'deliveries_part']::regclass[]) AS name"
            )
            figures["database_bytes_per_message"] = round(int(cursor.fetchone()[0]) / count)
        print(json.dumps(figures, indent=2))
    finally:
        teardown_databases(databases, verbosity=0)


def measure_import(count: int) -> dict[str, float]:
    """Seconds and peak memory (MB) of the import."""
    from campaign.demo.people import write_csv
    from recipients.imports.run import import_file

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        write_csv(path, count)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        import_file(path, list_name="Everybody", rejects=Path(folder) / "rejects.csv")
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "import_seconds": round(seconds, 1),
        "import_memory_before_mb": before // 1024,
        "import_memory_peak_mb": peak // 1024,
    }


def measure_analysis() -> dict[str, float]:
    """Seconds of the first and of a repeated analysis: every exclusion finds somebody, every check runs that needs no
    stranger, and the content has conditions."""
    from deliveries.actions.analyse import analyse as ask
    from deliveries.actions.create import create
    from deliveries.analysis.run import analyse
    from deliveries.models import DeliveryTemplate, Route
    from recipients.models import RecipientList, SavedQuery

    Route.objects.create(name="Nowhere", host="127.0.0.1", port=9, is_default=True)
    delivery = create(DeliveryTemplate.objects.get(label="Newsletter"), label="Benchmark")
    delivery.html = delivery.html.replace(
        "News for you",
        "News for {{ recipient.city }}, {{ recipient.points }} points"
        "{% if recipient.points|int > 900 %} (many){% elif recipient.city == 'Berlin' %} (there){% endif %}",
    )
    delivery.save()
    everybody = list(RecipientList.objects.all())
    barred = leave_some_out()
    delivery.target_lists.set(everybody)
    delivery.excluded_lists.set([barred])
    named = {"match": "all", "items": [{"field": "first_name", "is": "begins", "value": "A"}]}
    delivery.target_queries.add(SavedQuery.objects.create(name="Named", definition=named))
    seconds = []
    for _ in range(2):
        ask(delivery)
        started = time.perf_counter()
        analyse(delivery.pk)
        seconds.append(round(time.perf_counter() - started, 1))
        delivery.refresh_from_db()
        if delivery.to_deliver is None:
            sys.exit(f"The analysis failed: {delivery.state_note}")
    return {
        "messages": delivery.to_deliver or 0,
        "found": delivery.population or 0,
        "journal_lines": delivery.journal.count(),
        "analysis_seconds": seconds[0],
        "analysis_again_seconds": seconds[1],
    }


def leave_some_out() -> "RecipientList":
    """Deny, quarantine and put on a list, which is given back, one person in a hundred each."""
    from django.db import connection
    from django.db.models import F

    from recipients.models import Quarantine, Recipient, RecipientList

    barred = RecipientList.objects.create(name="Barred")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO recipients_denylist (recipient_id, source, created_at) "
            "SELECT id, 'benchmark', now() FROM recipients_recipient WHERE id % 100 = 1"
        )
        cursor.execute(
            "INSERT INTO recipients_listmembership (list_id, recipient_id, added_at) "
            "SELECT %s, id, now() FROM recipients_recipient WHERE id %% 100 = 3",
            [barred.pk],
        )
    held = Recipient.objects.alias(rest=F("pk") % 100).filter(rest=2).values_list("address_key", flat=True)
    Quarantine.objects.bulk_create((Quarantine(address_key=key) for key in held if key), batch_size=5_000)
    return barred


if __name__ == "__main__":
    main()
