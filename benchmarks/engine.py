"""One delivery of the benchmarks' newsletter, from its people to its end. Import it after ``lab.begin``."""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Sum

from benchmarks import letter
from benchmarks.lab import BenchmarkProblem
from campaign.services.layout import Layout
from deliveries.actions.analyse import analyse as ask_for_analysis
from deliveries.actions.confirm import confirm, warnings_of
from deliveries.actions.create import create
from deliveries.analysis.run import analyse
from deliveries.models import Delivery, DeliveryTemplate, Level, Message, Route
from deliveries.states import DeliveryState, MessageState
from recipients.imports.run import import_file
from recipients.models import RecipientList

STALL_SECONDS = 120
LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Run:
    """What one delivery took: seconds from the confirmation to its end, bytes per message by table and its indexes."""

    messages: int
    seconds: float
    database_bytes: dict[str, int]

    @property
    def rate(self) -> float:
        """Messages per second."""
        return round(self.messages / self.seconds, 1)


def import_people(count: int) -> None:
    """A recipient list of ``count`` people, named after their number."""
    folder = Path(settings.VAR_DIR)
    letter.write_people(folder / "people.csv", count)
    import_file(folder / "people.csv", list_name=str(count), rejects=folder / "rejects.csv")


def lead_to(port: int, connections: int = 0) -> None:
    """The default route leads to this port of the loopback and has so many connections (0: any number)."""
    values = {"host": "127.0.0.1", "port": port, "is_default": True, "connection_limit": connections}
    Route.objects.update_or_create(name="Benchmark", defaults=values)


def prepare(people: int, *, sender_domain: str, **properties: object) -> Delivery:
    """An analysed delivery of the newsletter to that list of people, sent from this domain, with these properties."""
    delivery = create(DeliveryTemplate.objects.get(label="Newsletter"), label=f"Benchmark from {sender_domain}")
    delivery.subject, delivery.html, delivery.text = letter.SUBJECT, letter.html(), letter.text()
    delivery.sender_name, delivery.sender_address = letter.SENDER_NAME, f"news@{sender_domain}"
    for name, value in properties.items():
        setattr(delivery, name, value)
    delivery.save()
    delivery.target_lists.set(RecipientList.objects.filter(name=str(people)))
    ask_for_analysis(delivery)
    analyse(delivery.pk)
    delivery.refresh_from_db()
    while delivery.current_state is DeliveryState.ANALYSING:  # a worker that runs already was faster
        time.sleep(0.05)
        delivery.refresh_from_db()
    if delivery.current_state is not DeliveryState.READY or delivery.to_deliver != people:
        errors = delivery.journal.filter(level=Level.ERROR).values_list("sentence", flat=True)
        raise BenchmarkProblem(f"The analysis found {delivery.to_deliver} people: {' '.join(errors)}")
    return delivery


def start(delivery: Delivery) -> None:
    """Confirm an analysed delivery, its warnings acknowledged."""
    confirm(delivery, acknowledged=[line.pk for line in warnings_of(delivery)])


def send(delivery: Delivery, *, bytes_before: dict[str, int]) -> Run:
    """Confirm, and wait for the workers. Raises :class:`BenchmarkProblem` unless every message was sent."""
    began = time.time()
    start(delivery)
    moved_at, sent = time.monotonic(), 0
    while delivery.current_state is not DeliveryState.FINISHED:
        time.sleep(LOOK_SECONDS)
        delivery.refresh_from_db()
        now_sent = delivery.parts.aggregate(Sum("sent"))["sent__sum"] or 0
        if now_sent != sent:
            moved_at, sent = time.monotonic(), now_sent
        if time.monotonic() - moved_at > STALL_SECONDS:
            raise BenchmarkProblem(f"Nothing was sent for {STALL_SECONDS} seconds: {delivery.state_note}")
    expect_all_sent(delivery)
    assert delivery.finished_at is not None
    count = delivery.to_deliver or 0
    grown = {name: round((size - bytes_before[name]) / count) for name, size in log_bytes().items()}
    return Run(
        messages=count,
        seconds=round(delivery.finished_at.timestamp() - began, 3),
        database_bytes={**{name: size for name, size in grown.items() if size}, "all": sum(grown.values())},
    )


def expect_all_sent(delivery: Delivery) -> None:
    """Raises :class:`BenchmarkProblem` when a message has another state than *sent*."""
    states = states_of(delivery)
    if set(states) != {"SENT"}:
        raise BenchmarkProblem(f"Not every message was sent: {states}. {delivery.state_note}")


def states_of(delivery: Delivery) -> dict[str, int]:
    """How many messages of the delivery are in which state."""
    found = Counter(Message.objects.of_delivery(delivery.pk).values_list("state", flat=True))
    return {MessageState(state).name: count for state, count in found.items()}


def sent_at(delivery: Delivery) -> list[float]:
    """When the server took each message that was sent, in order, in seconds since 1970."""
    sent = Message.objects.of_delivery(delivery.pk).filter(state=MessageState.SENT).order_by("processed_at")
    return [moment.timestamp() for moment in sent.values_list("processed_at", flat=True) if moment is not None]


def log_bytes() -> dict[str, int]:
    """Size of the tables of deliveries, and of each one's indexes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class "
            "WHERE relkind = 'r' AND relname LIKE 'deliveries%'"
        )
        return {
            name + what: int(size)
            for name, table, indexes in cursor.fetchall()
            for what, size in (("", table), (" indexes", indexes))
        }


def postmaster() -> int:
    """Process number of the benchmark's own PostgreSQL."""
    return int((Layout(Path(settings.VAR_DIR)).postgresql_data / "postmaster.pid").read_text().split()[0])


def redis_server() -> int:
    """Process number of the benchmark's own Redis."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        return int(client.info("server")["process_id"])


def is_finished(delivery: Delivery) -> bool:
    """Whether the delivery has ended; false as well while the database does not answer."""
    try:
        delivery.refresh_from_db()
    except DatabaseError:
        connection.close()
        return False
    return delivery.current_state is DeliveryState.FINISHED


def states_by_address(delivery: Delivery) -> dict[str, str]:
    """The state of each message."""
    rows = Message.objects.of_delivery(delivery.pk).values_list("address", "state")
    return {address: MessageState(state).name for address, state in rows}
