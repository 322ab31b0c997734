"""From Redis to the log."""

from typing import Any

import pytest
import redis
from django.db import DatabaseError
from redis.exceptions import ConnectionError as RedisAway

from campaign.lib.clock import now
from tests.deliveries.sending.servers import wait_for
from tests.tracking.deliveries import messages, sent
from tracking import flush as flush_module
from tracking.buffer import LINE, MARK, STREAM, WRITTEN, Buffer
from tracking.flush import flush
from tracking.hit import Hit
from tracking.identity import event_id, new_event_id
from tracking.models import Event, EventKind, EventLoss, UserAgent, anonymous

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def hit(message_id: int = 1 << 32 | 1, **values: Any) -> Hit:
    given: dict[str, Any] = {
        "id": new_event_id(), "kind": EventKind.CLICK, "content_id": 1, "message_id": message_id, "link": 1,
        "at": now(), "is_head": False, "address": "203.0.113.7", "user_agent": FIREFOX,
    }  # fmt: skip
    return Hit(**{**given, **values})


def test_a_hit_comes_back_from_its_line_as_it_was() -> None:
    one = hit(user_agent='é " \\ <script>')

    assert Hit.from_line(one.to_line()) == one


def test_hits_become_events_once_however_often_they_are_written(buffer: Buffer, stream: redis.Redis) -> None:
    [message] = messages(sent())
    hits = [hit(message.pk), hit(message.pk, kind=EventKind.OPEN, link=0)]
    for one in hits:
        buffer.add(one)
    assert buffer.send()
    stream.xadd(STREAM, {LINE: hits[0].to_line()})

    assert flush(stream) == 2
    stream.xadd(STREAM, {LINE: hits[1].to_line()})
    assert flush(stream) == 0

    assert stream.xlen(STREAM) == 0
    assert list(Event.objects.order_by("pk").values_list("pk", "message_id", "kind", "link", "network")) == sorted(
        (one.id, message.pk, one.kind, one.link, "203.0.113.0") for one in hits
    )


def test_repetitions_of_a_person_are_all_kept(buffer: Buffer, stream: redis.Redis) -> None:
    [message] = messages(sent())
    for _ in range(3):
        buffer.add(hit(message.pk))
    buffer.send()

    flush(stream)

    assert Event.objects.count() == 3


def test_what_was_not_committed_stays_in_redis(
    buffer: Buffer, stream: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer.add(hit())
    buffer.send()

    def away(*_: Any) -> None:
        raise DatabaseError("away")

    with monkeypatch.context() as patch:
        patch.setattr(flush_module, "record", away)
        with pytest.raises(DatabaseError):
            flush(stream)
    assert (stream.xlen(STREAM), Event.objects.count()) == (1, 0)

    flush(stream)
    assert (stream.xlen(STREAM), Event.objects.count()) == (0, 1)


def test_a_process_that_dies_after_the_commit_writes_nothing_twice(
    buffer: Buffer, stream: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer.add(hit())
    buffer.send()

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    dying = redis.Redis.from_url("redis://nowhere")
    monkeypatch.setattr(dying, "xrange", stream.xrange)
    monkeypatch.setattr(dying, "pipeline", killed)
    with pytest.raises(KeyboardInterrupt):
        flush(dying)

    assert flush(stream) == 0
    assert (stream.xlen(STREAM), Event.objects.count()) == (0, 1)


def test_a_damaged_entry_stops_nothing(buffer: Buffer, stream: redis.Redis) -> None:
    for damaged in ("", "{}", "[1, 2]", "\x00", '["a", 1, 1, 1, 1, 1, false, "", ""]'):
        stream.xadd(STREAM, {LINE: damaged})
    stream.xadd(STREAM, {"other": "x"})
    buffer.add(hit())
    buffer.send()

    assert flush(stream) == 1


def test_while_redis_is_away_hits_wait_and_what_does_not_fit_is_counted(
    stream: redis.Redis, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    buffer = Buffer(most_waiting=3)
    monkeypatch.setattr(buffer, "_begin", lambda: None)
    for _ in range(5):
        buffer.add(hit())

    assert not buffer.send()
    settings.REDIS_URL = there
    buffer._client = None
    assert buffer.send()
    flush(stream)
    flush(stream)

    assert Event.objects.count() == 3
    assert [loss.count for loss in EventLoss.objects.all()] == [2]


def empty(stream: redis.Redis) -> None:
    """As FLUSHALL does, and a Redis that starts again without having saved."""
    stream.delete(STREAM, MARK, WRITTEN)


def test_what_redis_lost_before_it_was_written_is_sent_again(buffer: Buffer, stream: redis.Redis) -> None:
    hits = [hit() for _ in range(3)]
    for one in hits[:2]:
        buffer.add(one)
        buffer.send()
    empty(stream)
    buffer.add(hits[2])

    buffer.send()

    assert flush(stream) == 3
    assert set(Event.objects.values_list("pk", flat=True)) == {one.id for one in hits}


def test_what_is_in_the_log_is_not_sent_again(buffer: Buffer, stream: redis.Redis) -> None:
    buffer.add(hit())
    buffer.send()
    flush(stream)
    buffer.send()  # it sees that the hit is written

    empty(stream)
    buffer.send()

    assert stream.xlen(STREAM) == 0


def test_what_is_sent_again_although_it_is_in_the_log_is_there_once(buffer: Buffer, stream: redis.Redis) -> None:
    buffer.add(hit())
    buffer.send()
    flush(stream)
    empty(stream)

    buffer.send()

    assert stream.xlen(STREAM) == 1
    assert flush(stream) == 0
    assert Event.objects.count() == 1


def test_a_process_without_new_hits_notices_by_itself(stream: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.buffer.LOOK_SECONDS", 0.01)
    buffer = Buffer()
    buffer.add(hit())
    wait_for(lambda: stream.xlen(STREAM) == 1)

    empty(stream)

    wait_for(lambda: stream.xlen(STREAM) == 1)
    flush(stream)
    wait_for(lambda: not buffer._sent)


def test_when_nobody_writes_redis_takes_a_bounded_number(stream: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = Buffer(most_in_stream=2)
    monkeypatch.setattr(buffer, "_begin", lambda: None)
    for _ in range(5):
        buffer.add(hit())

    buffer.send()
    flush(stream)

    assert Event.objects.count() == 2
    assert EventLoss.objects.get().count == 3


def test_a_redis_that_fails_in_between_costs_nothing(
    buffer: Buffer, stream: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        buffer.add(hit())
    real = Buffer._send_batch
    calls: list[int] = []

    def failing(self: Buffer) -> None:
        real(self) if calls else None
        calls.append(1)
        if len(calls) == 1:
            raise RedisAway("gone")

    monkeypatch.setattr(Buffer, "_send_batch", failing)

    assert not buffer.send()
    assert buffer.send()
    flush(stream)
    assert Event.objects.count() == 3


def test_a_user_agent_is_parsed_once_and_written_as_text(buffer: Buffer, stream: redis.Redis) -> None:
    phone = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
    )
    for agent in (FIREFOX, FIREFOX, phone, "<script>alert(1)</script>", ""):
        buffer.add(hit(user_agent=agent))
    buffer.send()

    flush(stream)

    rows = {row.text: row for row in UserAgent.objects.all()}
    assert len(rows) == 4
    assert (rows[FIREFOX].browser, rows[FIREFOX].system, rows[FIREFOX].device) == ("Firefox", "Linux", "desktop")
    assert (rows[phone].system, rows[phone].device) == ("iOS", "phone")
    assert rows["<script>alert(1)</script>"].device == ""


def test_nobodys_event_has_no_network(buffer: Buffer, stream: redis.Redis) -> None:
    buffer.add(hit(anonymous(7)))
    buffer.send()

    flush(stream)

    assert Event.objects.get().network is None


def test_many_hits_take_few_queries(buffer: Buffer, stream: redis.Redis, django_assert_max_num_queries: Any) -> None:
    for number in range(300):
        own_key = event_id(1, number)  # of random ones, two of a millisecond would meet in one run of some hundred
        buffer.add(hit(1 << 32 | number, id=own_key, user_agent=f"agent {number % 7}"))
    buffer.send()

    with django_assert_max_num_queries(14):
        flush(stream)

    assert Event.objects.count() == 300
