"""From the web process to Redis, without anybody waiting: a request leaves its hit in memory, a thread brings it on.

While Redis is away, hits wait in memory; what does not fit is counted, and the count arrives when Redis is back. Hits
that Redis has are kept in memory until they are in the log, a second as a rule: when Redis is emptied, they are sent
again, and their keys keep one from being written twice. A web process that is killed loses what its thread had not
sent: the hits of a few hundredths of a second.
"""

import atexit
import logging
import os
import secrets
import threading
import time
from collections import deque
from typing import Final

import redis
from django.conf import settings
from redis.exceptions import RedisError

from tracking.hit import Hit
from tracking.identity import new_event_id

logger = logging.getLogger(__name__)

STREAM: Final = "tracking:hits"
MARK: Final = "tracking:mark"
"""Set once and for all: another value, or none, means that Redis was emptied."""
WRITTEN: Final = "tracking:written"
"""The last entry of the stream that is in the log, and all before it."""
LINE: Final = "line"
LOST: Final = "lost"
"""The two kinds of entry: a hit, or a key and a number of hits that were lost."""

MOST_WAITING: Final = 20_000
"""Hits that a process keeps while Redis is away, and as many while Redis has them; each has some 500 bytes."""
MOST_IN_STREAM: Final = 1_000_000
"""Hits that wait in Redis to be written, some 400 bytes each; more would take the memory of the queue."""
BATCH: Final = 500
LINGER_SECONDS: Final = 0.02
RETRY_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 1.0
TIMEOUT_SECONDS: Final = 2.0

EntryId = tuple[int, int]
"""Entries of a stream come in this order, also after Redis was emptied: the first number is the time."""


class Buffer:
    """The hits of one process on their way to Redis."""

    def __init__(self, most_waiting: int = MOST_WAITING, most_in_stream: int = MOST_IN_STREAM) -> None:
        self.most_waiting = most_waiting
        self.most_in_stream = most_in_stream
        self.lost = 0
        self._waiting: deque[str] = deque()
        self._sent: deque[tuple[EntryId, str]] = deque(maxlen=most_waiting)
        self._mark: bytes | None = None
        self._wake = threading.Event()
        self._starting = threading.Lock()
        self._sending = threading.Lock()
        self._process = 0
        self._client: redis.Redis | None = None

    def add(self, hit: Hit) -> None:
        """Take a hit; never waits and never fails."""
        if len(self._waiting) >= self.most_waiting:
            self.lost += 1
            return
        self._waiting.append(hit.to_line())
        if self._process != os.getpid():
            self._begin()
        self._wake.set()

    def _begin(self) -> None:
        """Start the thread of this process, once: one that was forked has none."""
        with self._starting:
            if self._process == os.getpid():
                return
            self._client = None
            self._sent.clear()
            self._sending = threading.Lock()  # the thread of the process before the fork may have held it
            threading.Thread(target=self._run, name="tracking", daemon=True).start()
            atexit.register(self._finish)
            self._process = os.getpid()

    def _run(self) -> None:
        while True:
            self._wake.wait(LOOK_SECONDS if self._sent else None)
            self._wake.clear()
            time.sleep(LINGER_SECONDS)
            while not self.send():
                time.sleep(RETRY_SECONDS)

    def send(self) -> bool:
        """Send what waits, in batches, and what Redis lost; ``False`` when Redis took it not or not all of it."""
        with self._sending:
            try:
                self._look()
                while self._waiting or self.lost:
                    self._send_batch()
            except RedisError as error:
                logger.warning("Redis does not answer (%s); %s hits wait in memory.", error, len(self._waiting))
                return False
        return True

    def _look(self) -> None:
        """Forget what is in the log; let wait again what was not when Redis was emptied."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.set(MARK, secrets.token_hex(8), nx=True)
        pipeline.get(MARK)
        pipeline.get(WRITTEN)
        _, mark, written = pipeline.execute()
        if self._sent and mark != self._mark:
            logger.warning("Redis was emptied; %s hits are sent again.", len(self._sent))
            self._waiting.extendleft(line for _, line in reversed(self._sent))
            self._sent.clear()
        self._mark = mark
        while self._sent and written is not None and self._sent[0][0] <= _entry_id(written):
            self._sent.popleft()

    def _send_batch(self) -> None:
        lines = [self._waiting[index] for index in range(min(BATCH, len(self._waiting)))]
        lost = self.lost
        room = max(self.most_in_stream - self._redis.xlen(STREAM), 0)
        if over := max(len(lines) - room, 0):
            logger.error("%s hits are lost: %s wait to be written. Is a worker running?", over, self.most_in_stream)
        pipeline = self._redis.pipeline(transaction=True)
        for line in lines[:room]:
            pipeline.xadd(STREAM, {LINE: line})
        if lost or over:
            pipeline.xadd(STREAM, {LOST: f"{new_event_id()} {lost + over}"})
        entries = pipeline.execute()
        self._sent.extend(zip(map(_entry_id, entries), lines[:room], strict=False))  # a loss has an entry as well
        for _ in lines:
            self._waiting.popleft()
        self.lost -= lost

    @property
    def _redis(self) -> redis.Redis:
        if self._client is None:
            self._client = redis.Redis.from_url(
                settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
            )
        return self._client

    def _finish(self) -> None:
        """At the end of the process: what is left, once."""
        if self._waiting or self.lost:
            self.send()


def _entry_id(written: bytes) -> EntryId:
    milliseconds, _, number = written.partition(b"-")
    return int(milliseconds), int(number)


this_process = Buffer()
"""Of the web process."""
