"""Lanes of a process, against a server that takes its time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections

from campaign.demo.sink import Fault
from campaign.lib.clock import now
from deliveries.actions.control import pause, stop
from deliveries.models import Delivery, Part, Priority, Route
from deliveries.sending import parts, shutdown
from deliveries.sending.process import Process, lanes_for
from deliveries.sending.worker import Worker
from deliveries.states import DeliveryState, MessageState, PartState
from tests.deliveries import factories
from tests.deliveries.sending.servers import wait_for
from tests.smtp_sink import SinkThread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    factories.builtin_blocks()
    process = Process(lambda: Worker(tmp_path / "journals"))
    yield process
    process.close()
    connections.close_all()


@dataclass
class Done:
    """When something was done, on the monotonic clock."""

    at: float = 0.0


@contextmanager
def meanwhile(when: Callable[[], bool], act: Callable[[], object]) -> Iterator[Done]:
    """Do something in another thread once a condition holds."""
    done = Done()

    def wait_and_act() -> None:
        try:
            wait_for(when)
            act()
            done.at = time.monotonic()
        finally:
            connections.close_all()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    yield done
    thread.join(20)
    assert done.at


@pytest.mark.parametrize(
    ("waiting", "lanes", "wanted"), [(0.95, 1, 2), (0.95, 16, 20), (0.5, 8, 8), (0.1, 8, 4), (0.1, 1, 1)]
)
def test_it_wants_more_lanes_while_they_mostly_wait(waiting: float, lanes: int, wanted: int):
    assert lanes_for(waiting, lanes, 20) == wanted


def test_it_opens_more_connections_to_a_server_that_keeps_it_waiting(process: Process, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("END", delay=0.1))
    delivery = factories.confirmed(factories.delivery(factories.people(80), part_size=2))

    process.work(until=now() + timedelta(seconds=30))

    delivery.refresh_from_db()
    assert factories.states(delivery) == [MessageState.SENT] * 80
    assert delivery.current_state is DeliveryState.FINISHED
    assert len(smtp_sink.messages) == 80
    assert len({part.holder for part in Part.objects.filter(delivery=delivery)}) == 1  # nobody holds anything
    assert process._wanted > 1


def test_it_keeps_the_leases_of_a_slow_server(process: Process, smtp_sink: SinkThread, monkeypatch):
    monkeypatch.setattr("deliveries.sending.process.RENEW_SECONDS", 0.1)
    monkeypatch.setattr(parts, "LEASE", timedelta(seconds=1))
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("END", delay=3, message=1))
    delivery = factories.confirmed(factories.delivery(factories.people(1)))
    looked: list[bool] = []
    renew_all = parts.renew_all

    def look(*arguments: object) -> None:
        looked.append(parts.overdue(now()).exists())
        renew_all(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(parts, "renew_all", look)

    process.work(until=now() + timedelta(seconds=30))

    assert len(looked) > 3
    assert not any(looked)
    assert factories.states(delivery) == [MessageState.SENT]


def test_it_gives_its_parts_back_between_two_messages_when_asked_to_end(process: Process, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    delivery = factories.confirmed(factories.delivery(factories.people(50)))
    shutdown.ask()
    try:
        process.work(until=now() + timedelta(seconds=30))
    finally:
        shutdown.forget()

    part = Part.objects.get(delivery=delivery)
    assert (part.state, part.holder) == (PartState.READY, "")
    assert smtp_sink.messages == []


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("CONNECT", MessageState.PENDING),
        ("EHLO", MessageState.PENDING),
        ("MAIL", MessageState.PENDING),
        ("RCPT", MessageState.PENDING),
        ("END", MessageState.IN_DOUBT),
    ],
)
def test_it_does_not_wait_for_a_server_without_end_when_asked_to_end(
    at: str, state: MessageState, process: Process, smtp_sink: SinkThread, monkeypatch
):
    monkeypatch.setattr(shutdown, "PATIENCE", 0.2)
    monkeypatch.setattr(shutdown, "LOOK", 0.05)
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault(at, delay=120))
    delivery = factories.confirmed(factories.delivery(factories.people(3)))

    def reached() -> bool:
        return at in smtp_sink.events or (at == "CONNECT" and smtp_sink.sink.connections > 0)

    try:
        with meanwhile(reached, shutdown.ask) as done:
            process.work(until=now() + timedelta(seconds=120))
    finally:
        shutdown.forget()

    assert time.monotonic() - done.at < 60
    assert factories.states(delivery) == [state, MessageState.PENDING, MessageState.PENDING]
    part = Part.objects.get(delivery=delivery)
    assert (part.state, part.holder, part.losses) == (PartState.READY, "", 0)


def test_it_ends_its_slice_inside_a_part(process: Process, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("END", delay=0.05))
    delivery = factories.confirmed(factories.delivery(factories.people(400), part_size=400))

    assert process.work(until=now() + timedelta(seconds=3)) is True

    part = Part.objects.get(delivery=delivery)
    assert (part.state, part.holder) == (PartState.READY, "")
    assert 0 < part.sent == len(smtp_sink.messages) < 400


@pytest.mark.parametrize(("act", "left"), [(pause, MessageState.PENDING), (stop, MessageState.CANCELLED)])
def test_an_act_of_a_person_takes_effect_within_two_seconds(
    act: Callable[[Delivery], None], left: MessageState, process: Process, smtp_sink: SinkThread
):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("END", delay=0.05))
    delivery = factories.confirmed(factories.delivery(factories.people(400), part_size=400))

    with meanwhile(lambda: len(smtp_sink.messages) > 3, lambda: act(Delivery.objects.get(pk=delivery.pk))) as done:
        process.work(until=now() + timedelta(seconds=30))

    assert time.monotonic() - done.at < 2
    assert set(factories.states(delivery)) == {MessageState.SENT, left}
    assert not Part.objects.filter(delivery=delivery, state=PartState.CLAIMED).exists()


def test_an_urgent_delivery_begins_within_two_seconds_of_its_start(process: Process, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("END", delay=0.05))
    target = factories.people(400)
    normal = factories.confirmed(factories.delivery(target, part_size=400))
    urgent = factories.analysed(factories.delivery(target, subject="Urgent", priority=Priority.HIGH))

    def urgent_has_begun() -> bool:
        return any(b"\r\nSubject: Urgent\r\n" in message.data for message in tuple(smtp_sink.messages))

    with (
        meanwhile(lambda: len(smtp_sink.messages) > 3, lambda: factories.accepted(urgent)) as started,
        meanwhile(urgent_has_begun, shutdown.ask) as begun,
    ):
        process.work(until=now() + timedelta(seconds=30))
    shutdown.forget()

    assert begun.at - started.at < 2
    assert set(factories.states(normal)) == {MessageState.SENT, MessageState.PENDING}


def test_it_keeps_to_the_connections_that_the_route_allows(process: Process, smtp_sink: SinkThread):
    route = factories.route(smtp_sink.port)
    Route.objects.filter(pk=route.pk).update(connection_limit=2)
    smtp_sink.misbehave(Fault("END", delay=0.1))
    delivery = factories.confirmed(factories.delivery(factories.people(60), part_size=2))

    process.work(until=now() + timedelta(seconds=30))

    delivery.refresh_from_db()
    assert delivery.current_state is DeliveryState.FINISHED
    assert len(smtp_sink.messages) == 60
    assert delivery.state_note == ""
    assert process._wanted <= 2
    assert smtp_sink.sink.most_open == 2
