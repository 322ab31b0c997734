"""Tasks: thin, and found again when Redis forgot them."""

import json
from datetime import timedelta
from typing import Any

import pytest
import redis
from celery import Celery
from django.conf import settings

from bounces.tasks import collect_mailbox
from campaign.demo.sink import Fault
from campaign.lib.clock import now
from deliveries import queue, tasks
from deliveries.actions.analyse import analyse as ask
from deliveries.models import Delivery, Message
from deliveries.sending import parts
from deliveries.states import DeliveryState, MessageState
from deliveries.tasks import analyse_delivery, send_parts, wake
from tests.deliveries import factories
from tests.smtp_sink import SinkThread

pytestmark = pytest.mark.django_db


@pytest.fixture
def broker():
    """The real Redis that carries the hints, emptied."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushdb()
    yield client
    client.close()


def queued(client: redis.Redis, queue: str) -> list[str]:
    return [json.loads(entry)["headers"]["task"] for entry in client.lrange(queue, 0, -1)]


def test_it_queues_the_analysis_when_the_change_is_committed(broker, django_capture_on_commit_callbacks):
    delivery = factories.delivery(factories.people(1))

    with django_capture_on_commit_callbacks(execute=True):
        ask(delivery)
        assert queued(broker, "default") == []

    assert queued(broker, "default") == ["deliveries.tasks.analyse_delivery"]


def test_it_analyses_once_however_often_the_task_comes():
    delivery = factories.delivery(factories.people(2))
    ask(delivery)

    analyse_delivery(delivery.pk)
    analyse_delivery(delivery.pk)

    assert Delivery.objects.get(pk=delivery.pk).current_state is DeliveryState.READY
    assert Message.objects.count() == 2


def test_it_finds_an_analysis_whose_hint_was_lost(broker):
    ask(factories.delivery(factories.people(1)))

    wake()

    assert queued(broker, "default") == ["deliveries.tasks.analyse_delivery"]


def test_it_finds_open_parts_whose_hint_was_lost(broker, django_capture_on_commit_callbacks):
    factories.confirmed(factories.delivery(factories.people(1)))

    with django_capture_on_commit_callbacks(execute=True):
        wake()

    assert set(queued(broker, "sending")) == {"deliveries.tasks.send_parts"}


def test_short_tasks_come_before_the_next_slices_of_sending_archiving_and_collecting(broker: redis.Redis) -> None:
    """What a worker of both queues would fetch next, one after the other."""
    app = Celery(set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.broker_url = settings.CELERY_BROKER_URL
    for _ in range(3):
        queue.come_back_for_sending()
        queue.come_back_for_copies(1)
        collect_mailbox.delay(1)
    for _ in range(3):
        wake.delay()
    came: list[str] = []

    def keep(body: Any, message: Any) -> None:
        came.append(message.headers["task"].rpartition(".")[2])
        message.ack()

    with app.connection_for_read() as connection:
        channel = connection.channel()
        channel.qos.prefetch_count = 1
        queues = [app.amqp.queues[name](channel) for name in ("sending", "default")]
        with connection.Consumer(queues, callbacks=[keep], channel=channel, accept=["json"]):
            while len(came) < 12:
                connection.drain_events(timeout=60)

    assert came == ["wake"] * 3 + ["send_parts", "archive", "collect_mailbox"] * 3


def test_it_leaves_the_queue_alone_when_there_is_nothing_to_do(broker, django_capture_on_commit_callbacks):
    factories.analysed(factories.delivery(factories.people(1)))

    with django_capture_on_commit_callbacks(execute=True):
        wake()

    assert queued(broker, "sending") == queued(broker, "default") == []


def test_its_sending_task_does_nothing_when_every_part_is_held(worker):
    delivery = factories.confirmed(factories.delivery(factories.people(1)))
    parts.claim("somebody", now())

    send_parts()

    assert factories.states(delivery) == [6]


def test_it_starts_a_delivery_even_when_the_queue_does_not_answer(monkeypatch, django_capture_on_commit_callbacks):
    def refuse(*arguments: object, **more: object) -> None:
        raise redis.exceptions.ConnectionError("gone")

    monkeypatch.setattr("celery.Celery.send_task", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        delivery = factories.confirmed(factories.delivery(factories.people(1)))

    assert delivery.current_state is DeliveryState.IN_PROGRESS


def test_it_goes_on_sending_while_the_queue_does_not_answer(smtp_sink: SinkThread, monkeypatch: pytest.MonkeyPatch):
    refused: list[object] = []

    def refuse(*arguments: object, **_: object) -> None:
        refused.append(arguments)
        raise redis.exceptions.TimeoutError("nobody answers")

    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("END", delay=0.02))
    delivery = factories.confirmed(factories.delivery(factories.people(60)))
    monkeypatch.setattr("celery.Celery.send_task", refuse)
    monkeypatch.setattr(tasks, "SLICE", timedelta(seconds=0.2))

    send_parts()

    assert factories.states(delivery) == [MessageState.SENT] * 60
    assert refused


def test_a_queue_that_does_not_answer_is_not_asked_seven_times_more(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def refuse(_: object, task: str, **__: object) -> None:
        asked.append(task)
        raise redis.exceptions.TimeoutError("nobody answers")

    monkeypatch.setattr("celery.Celery.send_task", refuse)

    queue._wake_workers()

    assert asked == ["deliveries.tasks.send_parts"]


def test_what_is_said_again_every_few_seconds_does_not_pile_up(broker: redis.Redis) -> None:
    """A worker whose processes are busy drops it; what comes back for another slice stays."""
    queue._wake_workers()
    queue.announce_copies([1])
    queue.come_back_for_sending()
    queue.come_back_for_copies(1)

    waiting = [json.loads(entry)["headers"] for entry in reversed(broker.lrange("sending", 0, -1))]
    assert [bool(headers["expires"]) for headers in waiting] == [True] * (queue.WORKER_HINTS + 1) + [False] * 2
