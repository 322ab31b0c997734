"""Figures and their pages with a large log: ``python -m benchmarks.reports [--messages 1000000] [--events 500000]``.

Rows are made by the database itself. Then both logs are counted as in the background, and every page is asked for as a
browser would, through the whole of Django; the median of :data:`TIMES` and the number of queries are reported.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import lab

if TYPE_CHECKING:
    from deliveries.models import Delivery

TIMES = 5
DOMAINS = 400
LINKS = 30
AGENTS = 60
SQL = Path(__file__).parent / "sql"


def main() -> None:
    """Make the rows, count them, time the pages, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=500_000)
    options = parser.parse_args()
    folder = lab.PROJECT / "var" / "bench"
    lab.begin(folder)
    delivery = fill(options.messages, options.events)
    figures: dict[str, Any] = {"messages": options.messages, "events": options.events}
    figures |= count(delivery)
    figures["pages"] = pages(delivery)
    print(json.dumps(figures, indent=2))
    (folder.parent / "bench-reports.json").write_text(json.dumps(figures, indent=2) + "\n")


def fill(messages: int, events: int) -> "Delivery":
    """A delivery that was sent to ``messages`` people, with ``events`` of them, none counted yet."""
    from django.db import connection
    from django.utils import timezone

    from campaign.lib.sql import statements
    from deliveries.analysis.source import compile_properties
    from deliveries.models import Content, Delivery, Part, Route, message_range
    from deliveries.states import DeliveryState
    from tracking.models import UserAgent

    Route.objects.create(name="Nowhere", host="127.0.0.1", port=9, is_default=True)
    at = timezone.now()
    links = "".join(f'<p><a href="https://shop.example/{n}">Offer {n}</a></p>' for n in range(1, LINKS + 1))
    made = Delivery.objects.create(
        label="Benchmark", subject="News", sender_address="news@example.com", html=f"<html><body>{links}</body></html>"
    )
    compiled = compile_properties(made)
    content = Content.objects.create(delivery=made, compiled=compiled.to_json(), key=bytes(32))
    UserAgent.objects.bulk_create(
        UserAgent(text=f"Agent {n}", device="phone", browser=f"Browser {n % 20}", system=f"System {n % 8}")
        for n in range(AGENTS)
    )
    Delivery.objects.filter(pk=made.pk).update(content=content, to_deliver=messages, state=DeliveryState.ANALYSING)
    for state in (DeliveryState.READY, DeliveryState.IN_PROGRESS, DeliveryState.FINISHED):
        Delivery.objects.filter(pk=made.pk).update(state=state, started_at=at, finished_at=at)
    first, _ = message_range(made.pk)
    Part.objects.create(
        delivery=made, first_id=first + 1, last_id=first + messages, size=messages, sent=messages, dated_at=at
    )
    given = {
        "first": first, "content": content.pk, "messages": messages, "events": events, "domains": DOMAINS,
        "links": LINKS, "fields": len(compiled.fields), "agent": UserAgent.objects.order_by("pk")[0].pk,
        "agents": AGENTS,
    }  # fmt: skip
    with connection.cursor() as cursor:
        for name in ("make_messages", "make_values", "make_events"):
            cursor.execute(statements(SQL)[name], given)
        cursor.execute("ANALYZE")
    made.refresh_from_db()
    return made


def count(delivery: "Delivery") -> dict[str, float]:
    """Seconds that the background takes for all of it at once."""
    from tracking.figures.events import count_events
    from tracking.figures.log import count_log

    found = {"count_log_seconds": seconds(lambda: count_log(delivery, ""))}
    began = time.perf_counter()
    counted = count_events()
    took = time.perf_counter() - began
    return found | {"count_events_seconds": round(took, 1), "events_counted_per_second": round(counted / took)}


def seconds(what: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    what()
    return round(time.perf_counter() - began, 2)


def pages(delivery: "Delivery") -> dict[str, dict[str, float]]:
    """Milliseconds and queries of each page."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("bench", "bench@example.com", "bench"))
    root = "/admin/deliveries/delivery/"
    own = f"{root}{delivery.pk}/report/"
    addresses = {
        "report": own,
        "report with machines": f"{own}?machines=1",
        "hot clicks": f"{own}hot-clicks/",
        "hot clicks, message": f"{own}hot-clicks/1/html/",
        "comparison": f"{root}compare/?delivery={delivery.pk}&delivery={similar(delivery)}",
        "domains as Excel": f"{own}export/domains.xlsx",
        "people as CSV": f"{own}export/people.csv",
        "people as Excel": f"{own}export/people.xlsx",
    }
    return {
        name: _timed(client, address, 1 if name.startswith("people") else TIMES) for name, address in addresses.items()
    }


def _timed(client: Any, address: str, times: int) -> dict[str, float]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    took, queries, size = [], 0, 0
    for _ in range(times):
        with CaptureQueriesContext(connection) as captured:
            began = time.perf_counter()
            response = client.get(address, secure=True)
            size = len(response.getvalue())
            took.append(1000 * (time.perf_counter() - began))
        queries = len(captured)
        if response.status_code != 200:
            raise lab.BenchmarkProblem(f"{address} was answered {response.status_code}.")
    return {"milliseconds": round(median(took), 1), "queries": queries, "bytes": size}


def similar(delivery: "Delivery") -> int:
    """The number of a second delivery to compare with."""
    from deliveries.models import Delivery

    return Delivery.objects.create(label="Another", to_deliver=delivery.to_deliver).pk


if __name__ == "__main__":
    main()
