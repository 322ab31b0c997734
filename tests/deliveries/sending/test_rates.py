"""A limit as a server sees it that answers slowly and unevenly, with several workers and real time."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from django.db import connections

from benchmarks.rates import most_in_a_second
from campaign.demo.sink import EXTENSIONS, Fault
from deliveries.models import DomainLimit, Route
from deliveries.sending.session import Session
from deliveries.sending.smtp.steps import Body, Write
from deliveries.sending.worker import Worker
from deliveries.states import MessageState, PartState
from tests.deliveries import factories
from tests.smtp_sink import WITHOUT_CHUNKING, WITHOUT_PIPELINING, SinkThread

pytestmark = pytest.mark.django_db(transaction=True)

RATE = 20
MESSAGES = 45
WORKERS = 4
SLOWEST = 0.3
STOOD_STILL = 1.1
"""A busy machine may let a thread stand between its last look at the clock and the wire. So what is counted here as a
second is so many times shorter."""


class Uneven(Sequence[Fault]):
    """Each answer comes late, by a time that is drawn anew."""

    def __init__(self) -> None:
        self._chance = random.Random(1)

    def __len__(self) -> int:
        return 3

    def __getitem__(self, place: object) -> Fault:  # type: ignore[override]
        raise IndexError

    def __iter__(self) -> Iterator[Fault]:
        for at in ("MAIL", "RCPT", "END"):
            yield Fault(at, delay=self._chance.uniform(0.001, SLOWEST if at == "END" else SLOWEST / 4))


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[float]]:
    """When MAIL and when a content was about to be written."""
    noted: dict[str, list[float]] = {"MAIL": [], "content": []}
    carry_out = Session._carry_out

    def noting(session: Session, step: object) -> object:
        octets = step.data if isinstance(step, Write) else b""
        if isinstance(step, Body):
            octets = b"".join((*step.content, step.rest))
        if b"MAIL FROM:" in octets:
            noted["MAIL"].append(time.monotonic() * STOOD_STILL)
        if isinstance(step, Body):
            noted["content"].append(time.monotonic() * STOOD_STILL)
        return carry_out(session, step)  # type: ignore[arg-type]

    monkeypatch.setattr(Session, "_carry_out", noting)
    return noted


def by_route(route: Route) -> None:
    Route.objects.filter(pk=route.pk).update(messages_per_second=RATE)


def by_domain(_: Route) -> None:
    DomainLimit.objects.create(domain="example.org", messages_per_second=RATE)


@pytest.mark.parametrize(
    ("limit", "extensions"), [(by_route, EXTENSIONS), (by_domain, WITHOUT_CHUNKING), (by_route, WITHOUT_PIPELINING)]
)
def test_no_second_has_more_than_the_limit(
    limit: Callable[[Route], None],
    extensions: Sequence[str],
    smtp_sink: SinkThread,
    moments: dict[str, list[float]],
    tmp_path: Path,
) -> None:
    factories.builtin_blocks()
    smtp_sink.sink.script.extensions = extensions
    smtp_sink.sink.script.faults = Uneven()
    limit(factories.route(smtp_sink.port))
    delivery = factories.confirmed(factories.delivery(factories.people(MESSAGES), part_size=5))

    deadline = time.monotonic() + 40

    def lane(number: int) -> None:
        worker = Worker(tmp_path / str(number))
        try:
            while delivery.parts.exclude(state=PartState.DONE).exists() and time.monotonic() < deadline:
                worker.step()
        finally:
            worker.close()
            connections.close_all()

    lanes = [threading.Thread(target=lane, args=(number,)) for number in range(WORKERS)]
    for thread in lanes:
        thread.start()
    for thread in lanes:
        thread.join(60)

    assert factories.states(delivery) == [MessageState.SENT] * MESSAGES
    assert len(moments["content"]) == MESSAGES
    assert len(moments["MAIL"]) == MESSAGES
    assert max(most_in_a_second(sorted(times)) for times in moments.values()) <= RATE
