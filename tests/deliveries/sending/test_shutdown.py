"""A real Celery worker that is asked to end while it sends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, connections
from psycopg.conninfo import make_conninfo

from campaign.demo.sink import Fault
from campaign.env import BASE_DIR
from deliveries import queue
from deliveries.models import Part
from deliveries.states import MessageState, PartState
from tests.deliveries import factories
from tests.smtp_sink import SinkThread

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ENDS_WITHIN = 10.0
STARTS_WITHIN = 60.0


@pytest.fixture
def celery_worker(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Two sending processes on the database and the Redis of this test."""
    factories.builtin_blocks()
    parameters = connection.get_connection_params()
    database = make_conninfo(**{name: parameters[name] for name in ("dbname", "user", "host") if parameters.get(name)})
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "campaign", "worker", "-Q", "sending", "-c", "2", "-n", tmp_path.name],
        cwd=BASE_DIR,
        env=os.environ | {"VAR_DIR": str(tmp_path), "DATABASE_URL": database},
        start_new_session=True,
    )
    yield process
    process.kill()
    process.wait()
    connections.close_all()


def test_it_ends_within_ten_seconds_and_leaves_nothing_in_doubt(
    celery_worker: "subprocess.Popen[bytes]", smtp_sink: SinkThread
):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("END", delay=0.05))
    delivery = factories.confirmed(factories.delivery(factories.people(3_000)))
    queue.announce_work()
    deadline = time.monotonic() + STARTS_WITHIN
    while len(smtp_sink.messages) < 50:
        assert time.monotonic() < deadline, "The worker did not begin to send."
        time.sleep(0.1)

    asked = time.monotonic()
    celery_worker.send_signal(signal.SIGTERM)
    celery_worker.wait(timeout=60)

    assert time.monotonic() - asked < ENDS_WITHIN
    states = factories.states(delivery)
    assert set(states) == {MessageState.SENT, MessageState.PENDING}
    assert states.count(MessageState.SENT) == len(smtp_sink.messages)
    assert not Part.objects.filter(state=PartState.CLAIMED).exists()
