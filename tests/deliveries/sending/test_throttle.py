"""Turns, over a real Redis."""

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from campaign.demo.sink import Fault
from campaign.lib.clock import now
from campaign.services.redis_server import redis_program
from deliveries.models import Delivery, DomainLimit, Part, Route
from deliveries.sending import throttle
from deliveries.sending.smtp.replies import Reply, Stage
from deliveries.sending.throttle import FREE, LONGEST_WAIT, Throttle, is_throttling
from deliveries.sending.worker import Worker
from deliveries.states import DeliveryState, MessageState
from tests.deliveries import factories
from tests.deliveries.sending.clock import Clock
from tests.deliveries.sending.servers import free_port, wait_for
from tests.processes import running
from tests.smtp_sink import SinkThread

pytestmark = pytest.mark.django_db


def complain(turns: Throttle, domain: str = "example.org") -> None:
    """So often that it counts."""
    for _ in range(throttle.FEWEST_COMPLAINTS):
        turns.complain(domain)


def answers(client: "redis.Redis") -> bool:
    """Redis is up, and has read what it had kept."""
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def test_one_complaint_now_and_then_is_no_reason_to_slow_down(client: "redis.Redis"):
    turns = Throttle()
    for _ in range(4):
        for _ in range(20):
            turns.turn(7, 0.0, "example.org")
        turns.complain("example.org")

    assert client.smembers("throttle:slowed") == set()


def test_what_has_no_limit_leaves_without_asking(monkeypatch):
    turns = Throttle()
    asked = []
    monkeypatch.setattr(turns, "_take", lambda **asking: asked.append(asking))

    assert all(turns.turn(1, 0.0, "example.org") is FREE for _ in range(50))
    assert asked == []


def test_many_workers_never_get_more_turns_than_the_rate_allows():
    rate, seconds = 40.0, 1.5
    granted: list[
        tuple[float, float]
    ] = []  # each turn lies between the two, however long the thread had to stand still
    begun = time.monotonic()

    def work() -> None:
        turns = Throttle()
        turns._known_at = float("inf")  # no limits to read in this thread
        while time.monotonic() - begun < seconds:
            asked = time.monotonic() - begun
            turn = turns.turn(7, rate, "example.org")
            if turn.granted:
                granted.append((asked + turn.wait, time.monotonic() - begun + turn.wait))
            else:
                time.sleep(0.01)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(granted) >= rate * seconds * 0.9
    most = max(sum(1 for first, last in granted if start <= first and last < start + 1) for start, _ in granted)
    assert most <= rate


def test_a_turn_far_away_is_not_taken():
    turns = Throttle()
    assert turns.turn(7, 1.0, "example.org").granted

    refused = [turns.turn(7, 1.0, "example.org") for _ in range(5)]

    assert not any(turn.granted for turn in refused)
    assert all(LONGEST_WAIT < turn.wait <= throttle.SECOND for turn in refused)
    assert all(turn.by_route for turn in refused)


def test_a_domain_has_its_own_limit_beside_the_routes():
    DomainLimit.objects.create(domain="slow.example", messages_per_second=1)
    turns = Throttle()

    assert turns.turn(7, 1000.0, "slow.example").granted
    refused = turns.turn(7, 1000.0, "slow.example")
    assert (refused.granted, refused.by_route) == (False, False)
    assert turns.turn(7, 1000.0, "other.example").granted


def test_an_emptied_redis_gives_nobody_a_turn_too_many(client: "redis.Redis"):
    turns = Throttle()
    assert turns.turn(7, 2.0, "example.org").granted

    client.flushdb()

    after = turns.turn(7, 2.0, "example.org")
    assert not after.granted
    assert after.wait == pytest.approx(throttle.SECOND + LONGEST_WAIT, abs=0.05)


def test_an_emptied_redis_holds_back_every_row_not_only_the_first(client: "redis.Redis"):
    DomainLimit.objects.create(domain="one.example", messages_per_second=2)
    DomainLimit.objects.create(domain="two.example", messages_per_second=2)
    turns = Throttle()
    assert turns.turn(7, 0.0, "one.example").granted
    assert turns.turn(7, 0.0, "two.example").granted

    client.flushdb()

    assert not turns.turn(7, 0.0, "one.example").granted
    assert not turns.turn(7, 0.0, "two.example").granted


def test_a_redis_that_starts_again_with_an_older_state_gives_nobody_a_turn_too_many(tmp_path: Path):
    DomainLimit.objects.create(domain="example.org", messages_per_second=4)
    port = free_port()
    again = redis.Redis(port=port)
    turns = Throttle(again)
    own_redis = ["--port", str(port), "--dir", str(tmp_path), "--save", ""]

    with running([str(redis_program()), *own_redis]):
        wait_for(lambda: answers(again))
        again.set("throttle:mark", 1)
        assert turns.turn(7, 0.0, "example.org").granted
        again.save()
        assert turns.turn(7, 0.0, "example.org").granted
    with running([str(redis_program()), *own_redis]):
        wait_for(lambda: answers(again))
        after = turns.turn(7, 0.0, "example.org")

    assert not after.granted
    assert after.wait == pytest.approx(throttle.SECOND + LONGEST_WAIT, abs=0.05)


def test_a_clock_of_redis_that_is_set_back_holds_nobody_back_for_long(client: "redis.Redis"):
    DomainLimit.objects.create(domain="example.org", messages_per_second=4)
    turns = Throttle()
    later = client.time()[0] + 3600
    client.set("throttle:mark", later)
    client.zadd("throttle:route:7:mail", {str(later): later})
    client.zadd("throttle:domain:example.org:mail", {str(later): later})
    client.sadd("throttle:slowed", "example.org")
    client.hset("throttle:slow:example.org", mapping={"rate": 2.0, "at": later})

    first, second = (turns.turn(7, 2.0, "example.org") for _ in range(2))

    assert (first.granted, second.granted) == (False, False)
    assert first.wait == pytest.approx(throttle.SECOND + LONGEST_WAIT, abs=0.05)
    assert second.wait <= first.wait


def test_a_complaining_domain_gets_half_and_recovers_by_itself(client: "redis.Redis", monkeypatch):
    DomainLimit.objects.create(domain="example.org", messages_per_second=4)
    turns = Throttle()
    turns.turn(7, 0.0, "example.org")

    complain(turns)
    complain(turns)  # within seconds: the same complaint

    assert float(client.hget("throttle:slow:example.org", "rate") or 0) == pytest.approx(2.0)
    client.hset("throttle:slow:example.org", "at", str(time.time() - 61))
    turns.turn(7, 0.0, "example.org")
    assert not client.exists("throttle:slow:example.org")
    assert client.smembers("throttle:slowed") == set()


def test_a_domain_without_a_limit_is_slowed_down_from_what_it_got():
    turns = Throttle()
    for _ in range(20):
        assert turns.turn(7, 0.0, "example.org") is FREE

    complain(turns)

    granted = sum(turns.turn(7, 0.0, "example.org").granted for _ in range(20))
    assert granted < 20


def test_other_processes_learn_of_a_slow_domain(monkeypatch):
    complain(Throttle())
    other = Throttle()

    assert not all(other.turn(7, 0.0, "example.org").granted for _ in range(3))


def test_without_redis_what_is_limited_waits_and_the_rest_goes_on():
    away = Throttle(redis.Redis.from_url("redis://127.0.0.1:1"))

    assert away.turn(7, 0.0, "example.org") is FREE
    refused = away.turn(7, 5.0, "example.org")
    complain(away)
    assert (refused.granted, refused.wait, refused.by_route) == (False, throttle.WITHOUT_REDIS, True)


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (421, "4.7.0 Try again later", True),
        (451, "4.7.1 Please slow down", True),
        (454, "anything", True),
        (450, "4.2.0 Too many connections from your host", True),
        (452, "Message rate exceeded", True),
        (451, "4.3.0 Disk full", False),
        (550, "5.7.1 Rate limited for ever", False),
        (250, "ok at this rate", False),
    ],
)
def test_it_knows_throttling_from_other_replies(code: int, text: str, expected: bool):
    assert is_throttling(Reply(code, text, Stage.RCPT)) is expected


@given(st.integers(200, 399), st.text(max_size=60))
def test_an_accepted_message_is_never_throttling(code: int, text: str):
    assert not is_throttling(Reply(code, text, Stage.END_OF_DATA))


def test_a_worker_keeps_to_the_routes_rate(worker: Worker, smtp_sink: SinkThread):
    route = factories.route(smtp_sink.port)
    Route.objects.filter(pk=route.pk).update(messages_per_second=20)
    delivery = factories.confirmed(factories.delivery(factories.people(21)))
    begun = time.monotonic()

    factories.send(worker, delivery)

    assert delivery.current_state is DeliveryState.FINISHED
    assert time.monotonic() - begun >= 1.0


def test_a_worker_stays_for_what_may_leave_soon(worker: Worker, smtp_sink: SinkThread):
    route = factories.route(smtp_sink.port)
    Route.objects.filter(pk=route.pk).update(messages_per_second=3)
    delivery = factories.confirmed(factories.delivery(factories.people(4), part_size=2))

    worker.work(until=now() + timedelta(seconds=10))

    assert factories.states(delivery) == [MessageState.SENT] * 4


def test_a_worker_passes_over_a_slow_domain_and_comes_back(worker: Worker, smtp_sink: SinkThread):
    factories.route(smtp_sink.port)
    DomainLimit.objects.create(domain="example.org", messages_per_second=1)
    delivery = factories.confirmed(factories.delivery(factories.people(3)))

    factories.send(worker, delivery)

    assert factories.states(delivery) == [MessageState.SENT, MessageState.PENDING, MessageState.PENDING]
    assert Part.objects.get(delivery=delivery).not_before is not None


def test_a_throttling_reply_slows_the_domain_down(worker: Worker, smtp_sink: SinkThread, client: "redis.Redis"):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault("RCPT", reply="451 4.7.1 Too many messages, slow down"))
    delivery = factories.confirmed(factories.delivery(factories.people(3)))

    factories.send(worker, delivery)

    assert client.smembers("throttle:slowed") == {b"example.org"}


@pytest.mark.parametrize("at", ["MAIL", "RCPT", "DATA", "END"])
def test_421_slows_the_domain_down_wherever_it_comes(
    at: str, worker: Worker, smtp_sink: SinkThread, client: "redis.Redis"
):
    factories.route(smtp_sink.port)
    smtp_sink.misbehave(Fault(at, reply="421 4.7.0 Too much from you", close=True))
    delivery = factories.confirmed(factories.delivery(factories.people(3), max_retries=3))

    for _ in range(throttle.FEWEST_COMPLAINTS):
        factories.send(worker, delivery)
        Delivery.objects.update(rests_until=None)

    assert client.smembers("throttle:slowed") == {b"example.org"}
    assert smtp_sink.messages == []


def test_a_redis_that_hangs_takes_a_fifth_of_the_time_of_what_has_no_limit(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    turns = Throttle(clock=clock)
    begun, asked = clock(), []

    def hang(_: object) -> None:
        asked.append(clock())
        clock.seconds += 2.0
        raise redis.TimeoutError("nobody answers")

    monkeypatch.setattr(turns._redis, "smembers", hang)
    while clock() < begun + 100:
        assert turns.turn(7, 0.0, "example.org") is FREE
        clock.seconds += 0.1

    assert 9 <= len(asked) <= 11


def test_what_is_limited_does_not_hold_up_the_rest_by_asking_a_redis_that_hangs(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    turns = Throttle(clock=clock)
    DomainLimit.objects.create(domain="slow.example", messages_per_second=5)
    turns.turn(7, 0.0, "example.org")
    asked = []

    def hang(**_: object) -> None:
        asked.append(clock())
        clock.seconds += 2.0
        raise redis.TimeoutError("nobody answers")

    monkeypatch.setattr(turns, "_take", hang)
    given = [turns.turn(7, 0.0, "slow.example").granted for _ in range(50)]

    assert not any(given)
    assert len(asked) == 1
