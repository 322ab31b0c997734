"""From the web process to Redis, without anybody waiting: a request leaves its hit in memory, a thread brings it on.

While Redis is away, hits wait in memory; what does not fit is counted, and the count arrives when Redis is back. A web
process that is killed loses what its thread had not sent: the hits of a few hundredths of a second.
"""

import atexit
import logging
import os
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
LINE: Final = "line"
LOST: Final = "lost"
"""The two kinds of entry: a hit, or a key and a number of hits that were lost."""

MOST_WAITING: Final = 20_000
"""Hits that a process keeps while Redis is away; each has some 500 bytes."""
MOST_IN_STREAM: Final = 1_000_000
"""Hits that wait in Redis to be written, some 400 bytes each; more would take the memory of the queue."""
BATCH: Final = 500
LINGER_SECONDS: Final = 0.02
RETRY_SECONDS: Final = 1.0
TIMEOUT_SECONDS: Final = 2.0


class Buffer:
    """The hits of one process on their way to Redis."""

    def __init__(self, most_waiting: int = MOST_WAITING, most_in_stream: int = MOST_IN_STREAM) -> None:
        self.most_waiting = most_waiting
        self.most_in_stream = most_in_stream
        self.lost = 0
        self._waiting: deque[str] = deque()
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
            self._sending = threading.Lock()  # the thread of the process before the fork may have held it
            threading.Thread(target=self._run, name="tracking", daemon=True).start()
            atexit.register(self._finish)
            self._process = os.getpid()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            time.sleep(LINGER_SECONDS)
            while self._waiting:
                if not self.send():
                    time.sleep(RETRY_SECONDS)

    def send(self) -> bool:
        """Send what waits, in batches; ``False`` when Redis took it not or not all of it."""
        with self._sending:
            try:
                while self._waiting or self.lost:
                    self._send_batch()
            except RedisError as error:
                logger.warning("Redis does not answer (%s); %s hits wait in memory.", error, len(self._waiting))
                return False
        return True

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
        pipeline.execute()
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


this_process = Buffer()
"""Of the web process."""
